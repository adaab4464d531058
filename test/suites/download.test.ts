import '../download/description.test.ts'
import '../download/finished.test.ts'
