import '../hostile/corpus.test.ts'
import '../hostile/floods.test.ts'
import '../hostile/fuzz.test.ts'
import '../hostile/users.test.ts'
