import Base
import HTTPClient
import Testing

@testable import VendorSim

extension OverSockets {
    struct SimulatedChatTests {
        private func withChat(
            _ change: (inout ModelSettings) -> Void = { _ in },
            _ body: (SimulatedModel, (JSON) -> HTTPRequest, HTTPClient) async throws -> Void
        ) async throws {
            var configuration = ModelSettings()
            configuration.firstToken = .milliseconds(1)
            configuration.tokensPerSecond = 0
            change(&configuration)
            let chat = try await SimulatedModel.start(configuration, logger: quiet)
            let http = HTTPClient(addresses: .anyAddress, logger: quiet)
            try await body(
                chat,
                { json in
                    HTTPRequest(
                        method: "POST", url: chat.url + "/chat/completions",
                        headers: [("Authorization", "Bearer k")],
                        body: Array(JSONText.encode(json).utf8))
                }, http)
            await http.close()
            await chat.stop()
        }

        private func question(_ text: String, stream: Bool = true, tools: JSON = []) -> JSON {
            [
                "model": "sim", "stream": .bool(stream), "tools": tools,
                "stream_options": ["include_usage": true],
                "messages": [
                    ["role": "system", "content": "be brief"], ["role": "user", "content": .string(text)],
                ],
            ]
        }

        /// The chunks of a stream, and its last line.
        private func chunks(_ body: [UInt8]) -> (chunks: [JSON], last: String) {
            let lines = String(decoding: body, as: UTF8.self).split(separator: "\n").map { $0.dropFirst(6) }
            return (lines.compactMap { JSONText.decode(Array($0.utf8)) }, lines.last.map(String.init) ?? "")
        }

        @Test func aScriptedReplyComesWordByWord() async throws {
            try await withChat({ $0.script = ChatScript([.on("hello", Reply("Hello to you"))]) }) {
                _, request, http in
                let (chunks, last) = chunks(try await http.send(request(question("oh hello there"))).body)
                let words = chunks.compactMap { $0["choices"]?.array?.first?["delta"]?["content"]?.string }
                #expect(words == ["", "Hello", " to", " you"])
                #expect(
                    chunks.compactMap { $0["choices"]?.array?.first?["finish_reason"]?.string } == ["stop"])
                #expect(chunks.last?["choices"]?.array?.isEmpty == true)
                #expect((chunks.last?["usage"]?["completion_tokens"]?.int ?? 0) == 3)
                #expect(last == "[DONE]")
            }
        }
        private typealias Reply = ChatScript.Reply

        @Test func aToolCallComesInPieces() async throws {
            let tools: JSON = [["type": "function", "function": ["name": "book", "parameters": [:]]]]
            try await withChat { chat, request, http in
                let text = "my name is Anna, tuesday, four one five five five five oh one oh oh"
                let (chunks, _) = chunks(try await http.send(request(question(text, tools: tools))).body)
                let deltas = chunks.compactMap {
                    $0["choices"]?.array?.first?["delta"]?["tool_calls"]?.array?.first
                }
                #expect(deltas.first?["function"]?["name"]?.string == "book")
                #expect(deltas.dropFirst().allSatisfy { $0["id"] == nil })
                #expect(deltas.count == 4)
                let arguments = deltas.compactMap { $0["function"]?["arguments"]?.string }.joined()
                let expected: JSON = ["name": "anna", "day": "tuesday", "phone": "4155550100"]
                #expect(JSONText.decode(Array(arguments.utf8)) == expected)
                #expect(chat.requests.count == 1)
            }
        }

        @Test func withoutStreamItIsOneDocument() async throws {
            try await withChat { _, request, http in
                let response = try await http.send(request(question("hi", stream: false)))
                let body = try #require(JSONText.decode(response.body))
                let message = body["choices"]?.array?.first?["message"]
                #expect(message?["content"]?.string?.hasPrefix("Welcome") == true)
                #expect(body["usage"]?["total_tokens"] != nil)
            }
        }

        @Test func refusalsAreTheVendors() async throws {
            try await withChat({ $0.key = "k" }) { chat, request, http in
                chat.fail([
                    .rateLimited(retryAfterSeconds: 2), .serverError, .unauthorized, .insufficientQuota,
                ])
                let limited = try await http.send(request(question("hi")))
                #expect(limited.status == 429)
                #expect(limited.header("retry-after") == "2")
                let answer1 = try await http.send(request(question("hi"))).status
                #expect(answer1 == 500)
                let answer2 = try await http.send(request(question("hi"))).status
                #expect(answer2 == 401)
                let quota = try await http.send(request(question("hi")))
                #expect(JSONText.decode(quota.body)?["error"]?["code"]?.string == "insufficient_quota")
                var wrongKey = request(question("hi"))
                wrongKey.headers = [("Authorization", "Bearer other")]
                let answer3 = try await http.send(wrongKey).status
                #expect(answer3 == 401)
                let answer4 = try await http.send(request(["model": "sim"])).status
                #expect(answer4 == 400)
            }
        }

        @Test func aStreamCanBreakOffLieOrFallSilent() async throws {
            try await withChat({ $0.script = ChatScript([], otherwise: Reply("one two three four")) }) {
                chat, request, http in
                chat.fail([
                    .cut(afterTokens: 2), .malformed(afterTokens: 1), .errorEvent(afterTokens: 1), .silence,
                ])
                await #expect(throws: HTTPError.self) { try await http.send(request(question("hi"))) }
                let lie = String(decoding: try await http.send(request(question("hi"))).body, as: UTF8.self)
                #expect(lie.contains("data: {\"choices\":[{\"delta\"\n"))
                await #expect(throws: HTTPError.self) { try await http.send(request(question("hi"))) }
                var silent = request(question("hi"))
                silent.limits.total = .milliseconds(300)
                await #expect(throws: HTTPError.self) { try await http.send(silent) }
            }
        }
    }
}
