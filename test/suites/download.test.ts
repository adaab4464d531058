import '../download/description.test.ts'
import '../download/finished.test.ts'
import '../download/growing.test.ts'
import '../download/progress.test.ts'
