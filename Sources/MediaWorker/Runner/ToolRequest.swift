package import Agents
package import Base
package import Conversation
import Foundation
package import HTTPClient

/// A customer's tool over HTTP: what is asked, and what the answer means.
package enum ToolRequest {
    package static let resultBytesMax = 65_536
    package static let connectLimit: Duration = .seconds(3)
    /// Tries of one call: the second only when the first cannot have reached the tool.
    static let triesMax = 2

    package static func make(_ call: Dialogue.ToolCall, of tool: Tool) -> HTTPRequest {
        var url = tool.url
        var body: [UInt8] = []
        var headers = tool.headers.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        headers.append(("Idempotency-Key", call.key))
        headers.append(("Accept", "application/json"))
        if tool.method.uppercased() == "GET" {
            let query = query(call.arguments)
            if !query.isEmpty { url += (url.contains("?") ? "&" : "?") + query }
        } else {
            body = Array(call.arguments.text.utf8)
            headers.append(("Content-Type", "application/json"))
        }
        let limit = Duration.milliseconds(min(max(tool.timeoutMs, 100), 60_000))
        return HTTPRequest(
            method: tool.method.uppercased(), url: url, headers: headers, body: body,
            limits: HTTPLimits(
                connect: min(limit, connectLimit), total: limit, responseBytesMax: resultBytesMax))
    }

    /// The result of a 2xx answer: its JSON, or its text when it is none. A code otherwise.
    package static func outcome(_ response: HTTPResponse) -> Outcome {
        guard (200..<300).contains(response.status) else { return .failed("tool.status_\(response.status)") }
        guard !response.body.isEmpty else { return .finished(.null) }
        guard let text = String(validating: response.body, as: UTF8.self) else {
            return .failed("tool.not_text")
        }
        return .finished(JSON(parsing: text) ?? .string(text))
    }

    package enum Outcome: Sendable { case finished(JSON), failed(String) }

    /// Runs the tool; never throws.
    package static func run(_ call: Dialogue.ToolCall, of tool: Tool, over http: HTTPClient) async -> Outcome
    {
        for attempt in 1...triesMax {
            do {
                return outcome(try await http.send(make(call, of: tool)))
            } catch HTTPError.connect where attempt < triesMax {
                continue
            } catch HTTPError.timeout {
                return .failed("tool.timeout")
            } catch HTTPError.tooLarge {
                return .failed("tool.result_too_large")
            } catch HTTPError.refusedAddress {
                return .failed("tool.address_refused")
            } catch {
                return .failed("tool.unreachable")
            }
        }
        return .failed("tool.unreachable")
    }

    private static func query(_ arguments: JSON) -> String {
        (arguments.object ?? [:]).sorted { $0.key < $1.key }.map { name, value in
            escape(name) + "=" + escape(value.string ?? value.text)
        }.joined(separator: "&")
    }

    private static func escape(_ text: String) -> String {
        var allowed = CharacterSet.alphanumerics
        allowed.insert(charactersIn: "-._~")
        return text.addingPercentEncoding(withAllowedCharacters: allowed) ?? ""
    }
}
