import Base
import ControlPlane
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization
import Testing

@Suite struct BadInputTests {
    static let broken: [(text: String, says: String)] = [
        ("", "too early"), ("{", "member"), ("{\"a\":1", "expected"), ("[1,]", "expected a JSON value"),
        ("{\"a\":1,\"a\":2}", "twice"), ("\"\\ud800\"", "surrogate"), ("\"\\udc00\\ud800\"", "surrogate"),
        ("\"\\u0000\"", "NUL"), ("\"a\u{1}\"", "control"), ("1e400", "range"), ("NaN", "expected"),
        ("01", "number"),
        ("1.", "number"), ("-", "number"), ("\"\\x\"", "escape"), ("{} {}", "follows"), ("tru", "expected"),
        (String(repeating: "[", count: 10_000), "deeper"), ("\"abc", "closed"), ("'a'", "expected"),
    ]

    @Test(arguments: broken.indices) func brokenJSONIsRefusedAndSaysWhy(row: Int) {
        let (text, says) = Self.broken[row]
        let error = #expect(throws: StrictJSON.Failure.self) { try StrictJSON.parse(Array(text.utf8)) }
        #expect(error?.message.contains(says) == true, "\(text.prefix(20)): \(error?.message ?? "")")
    }

    @Test func bytesThatAreNotUTF8AreRefused() {
        #expect(throws: StrictJSON.Failure.self) { try StrictJSON.parse([0x22, 0xFF, 0xFE, 0x22]) }
        #expect(throws: StrictJSON.Failure.self) { try StrictJSON.parse([0x22, 0xC0, 0x80, 0x22]) }
    }

    @Test func soundJSONIsRead() throws {
        let text = #" {"a": [1, -0, 2.5e3, true, null, "\u00e9\ud83d\ude00\n"], "b": {}} "#
        let json = try StrictJSON.parse(Array(text.utf8))
        #expect(json == ["a": [1, 0, .double(2500), true, nil, "é😀\n"], "b": [:]])
        #expect(try StrictJSON.parse(Array("9223372036854775807".utf8)) == .int(.max))
        #expect(try StrictJSON.parse(Array("9223372036854775808".utf8)) == .double(9_223_372_036_854_775_808))
    }

    @Test(arguments: 0..<UInt64(300)) func randomBytesNeverTrap(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let alphabet = Array("{}[]\",:\\u0dD8eE+-.19truefalsn \u{0}\u{FF}".utf8)
        let bytes = (0..<200).map { _ in alphabet[Int(random.next() % UInt64(alphabet.count))] }
        _ = try? StrictJSON.parse(bytes)
    }

    @Test func everyKindOfBadRequestGetsItsOwnProblem() async throws {
        try await TestPlatform.with { platform in
            func code(_ text: String, type: String = "application/json") async throws -> (Int, String?) {
                let answer = try await platform.send(
                    .post, "/v1/tenants", headers: ["Content-Type": type], text: text)
                #expect(answer.header("Content-Type") == "application/problem+json")
                #expect(answer.json["request_id"]?.string == answer.header("X-Request-Id"))
                #expect(answer.json["status"]?.int == Int64(answer.status))
                return (answer.status, answer.code)
            }
            #expect(try await code("{\"name\":") == (400, "bad_json"))
            #expect(try await code("{\"name\":\"a\",\"name\":\"b\"}") == (400, "bad_json"))
            #expect(try await code(String(repeating: "[", count: 10_000)) == (400, "bad_json"))
            #expect(try await code("[]") == (422, "validation_failed"))
            #expect(try await code("{}", type: "text/plain") == (415, "unsupported_media_type"))
            #expect(
                try await code("{\"name\":\"\(String(repeating: "x", count: 1 << 20))\"}") == (
                    413, "body_too_large"
                ))
            let gzip = try await platform.send(
                .post, "/v1/tenants", headers: ["Content-Encoding": "gzip"], text: "{}")
            #expect(gzip.code == "unsupported_encoding")
        }
    }

    @Test func fieldsAreNamedAllAtOnce() async throws {
        try await TestPlatform.with { platform in
            let answer = try await platform.post(
                "/v1/tenants",
                [
                    "name": 7, "kind": "king", "concurrency_limit": .double(2.5), "weight": 0,
                    "region": "Mars/Base", "colour": "red",
                    "destination_policy": ["allowed_prefixes": ["+1", "all"], "extra": 1],
                ])
            #expect(answer.status == 422)
            #expect(
                Set(answer.paths) == [
                    "name", "kind", "concurrency_limit", "weight", "region", "colour",
                    "destination_policy.allowed_prefixes", "destination_policy.extra",
                ], "\(answer.text)")
            #expect(answer.text.contains("one of reseller, client"))
        }
    }

    @Test func onlyE164NumbersAreNumbers() async throws {
        try await TestPlatform.with { platform in
            let acme = try await platform.makeTenant("Acme")
            let credential = try await platform.makeCredential(key: acme.key)
            for number in [
                "+١٤١٥٥٥٥٠١٠٠", "+1 (415) 555-0100", "+12345678901234567", "tel:+14155550100",
                "+14155550100;ext=1", "",
                "+04155550100", "911",
            ] {
                let answer = try await platform.post(
                    "/v1/phone-numbers", ["number": .string(number), "credential_id": .string(credential)],
                    key: acme.key)
                #expect(answer.paths == ["number"], "\(number)")
                #expect(number.isEmpty || !answer.text.contains(number), "the answer repeats no number")
            }
        }
    }

    @Test func pathsMethodsAndQueriesThatAreNotThere() async throws {
        try await TestPlatform.with { platform in
            #expect(try await platform.get("/v1/nothing").status == 404)
            #expect(try await platform.get("/").status == 404)
            let wrong = try await platform.send(.put, "/v1/agents", text: "{}")
            #expect(wrong.status == 405)
            #expect(wrong.header("Allow") == "GET, POST")
            #expect(try await platform.delete("/v1/tenants/x").header("Allow") == "GET, PATCH")
            #expect(try await platform.get("/v1/agents/agent_123").status == 404)
            #expect(
                try await platform.get("/v1/agents/" + String(repeating: "call_", count: 10)).status == 404)
            for query in ["limit=0", "limit=101", "limit=x", "cursor=%00", "limit=1&limit=2", "colour=red"] {
                let answer = try await platform.get("/v1/agents?\(query)")
                #expect(answer.status == 400, "\(query): \(answer.text)")
            }
        }
    }

    /// Counts what a reader takes from an endless body.
    private struct Endless: AsyncSequence, Sendable {
        let taken = ManagedCount()
        struct Iterator: AsyncIteratorProtocol {
            let taken: ManagedCount
            func next() async -> ByteBuffer? {
                taken.add(1 << 16)
                return ByteBuffer(repeating: 0x20, count: 1 << 16)
            }
        }
        func makeAsyncIterator() -> Iterator { Iterator(taken: taken) }
    }

    @Test func anEndlessBodyIsReadToItsLimitAndNoFurther() async throws {
        let endless = Endless()
        let head = HTTPRequest(
            method: .post, scheme: nil, authority: nil, path: "/v1/tenants",
            headerFields: [.contentType: "application/json; charset=utf-8"])
        let request = Request(head: head, body: RequestBody(asyncSequence: endless))
        let problem = await #expect(throws: Problem.self) {
            try await Convert.bytes(request, type: "application/json")
        }
        #expect(problem?.status == .contentTooLarge)
        #expect(problem?.closesConnection == true)
        #expect(endless.taken.total <= Convert.bodyBytesMax + 2 << 16)
    }
}

final class ManagedCount: Sendable {
    private let count = Mutex(0)
    var total: Int { count.withLock { $0 } }
    func add(_ amount: Int) { count.withLock { $0 += amount } }
}
