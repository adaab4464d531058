import '../conformance.test.ts'
import '../conformance/cli.test.ts'
import '../conformance/response-parser.test.ts'
