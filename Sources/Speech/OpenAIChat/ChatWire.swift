import Base
import Foundation

/// The JSON of an OpenAI-compatible chat endpoint.
enum ChatWire {
    /// The request's body: keys sorted, so that a conversation's start stays byte for byte the same and vendors can cache it.
    static func body(_ request: ChatRequest, limitName: String) throws -> [UInt8] {
        var body: [String: JSON] = [
            "model": .string(request.model),
            "messages": .array(request.messages.map(message)),
            "stream": true,
            "stream_options": ["include_usage": true],
            limitName: .int(Int64(request.maxTokens)),
        ]
        if let temperature = request.temperature { body["temperature"] = .double(temperature) }
        if !request.tools.isEmpty { body["tools"] = .array(request.tools.map(tool)) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return [UInt8](try encoder.encode(JSON.object(body)))
    }

    private static func message(_ message: ChatMessage) -> JSON {
        switch message {
        case .system(let text): ["role": "system", "content": .string(text)]
        case .user(let text): ["role": "user", "content": .string(text)]
        case .assistant(let text): ["role": "assistant", "content": .string(text)]
        case .toolResult(let id, let content):
            ["role": "tool", "tool_call_id": .string(id), "content": .string(content)]
        case .toolCalls(let calls, let text):
            [
                "role": "assistant", "content": text.isEmpty ? .null : .string(text),
                "tool_calls": .array(
                    calls.map { call in
                        [
                            "id": .string(call.id), "type": "function",
                            "function": ["name": .string(call.name), "arguments": .string(call.arguments)],
                        ]
                    }),
            ]
        }
    }

    private static func tool(_ tool: ChatTool) -> JSON {
        [
            "type": "function",
            "function": [
                "name": .string(tool.name), "description": .string(tool.description),
                "parameters": tool.parameters,
            ],
        ]
    }

    /// One event of the stream. Members a server leaves out or adds do not matter.
    struct Chunk: Decodable {
        struct Choice: Decodable {
            var delta: Delta?
            var finish_reason: String?
        }
        struct Delta: Decodable {
            var content: String?
            var refusal: String?
            var tool_calls: [ToolFragment]?
        }
        struct ToolFragment: Decodable {
            struct Function: Decodable {
                var name: String?
                var arguments: String?
            }
            var index: Int?
            var id: String?
            var function: Function?
        }
        struct Tokens: Decodable {
            struct Details: Decodable { var cached_tokens: Int64? }
            var prompt_tokens: Int64?
            var completion_tokens: Int64?
            var prompt_tokens_details: Details?
        }
        var choices: [Choice]?
        var usage: Tokens?
        var error: Problem?
    }

    /// An error object; `code` is a string or a number, depending on the server.
    struct Problem: Decodable {
        enum Code: Decodable {
            case text(String), number(Int), none
            init(from decoder: any Decoder) throws {
                let value = try decoder.singleValueContainer()
                if let text = try? value.decode(String.self) {
                    self = .text(text)
                } else {
                    self = (try? value.decode(Int.self)).map(Code.number) ?? .none
                }
            }
        }
        var type: String?
        var code: Code?

        /// Never the message: it may quote the caller or part of a key.
        var name: String {
            switch code {
            case .text(let text)?: text
            case .number(let number)?: String(number)
            case Code.none?, nil: type ?? "error"
            }
        }
    }

    struct ErrorBody: Decodable { var error: Problem? }

    static func chunk(_ data: [UInt8]) -> Chunk? { try? JSONDecoder().decode(Chunk.self, from: Data(data)) }

    static func problem(_ body: [UInt8]) -> Problem? {
        (try? JSONDecoder().decode(ErrorBody.self, from: Data(body)))?.error
    }
}
