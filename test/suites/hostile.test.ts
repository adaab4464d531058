import '../hostile/corpus.test.ts'
import '../hostile/fuzz.test.ts'
