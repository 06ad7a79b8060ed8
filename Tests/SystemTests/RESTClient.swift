import Base
import HTTPClient

/// The REST API over a socket, as a customer's program sees it.
struct RESTClient: Sendable {
    let http: HTTPClient
    let url: String
    let key: String
    /// Acts for this tenant.
    var tenant: String?

    struct Answer: Sendable {
        let status: Int
        let type: String
        let json: JSON
    }

    func send(_ method: String, _ path: String, _ body: JSON? = nil) async throws -> Answer {
        var headers = [("Authorization", "Bearer " + key)]
        if let tenant { headers.append(("Parley-Tenant", tenant)) }
        if body != nil { headers.append(("Content-Type", "application/json")) }
        let response = try await http.send(
            HTTPRequest(
                method: method, url: url + path, headers: headers,
                body: body.map { Array($0.text.utf8) } ?? []))
        return Answer(
            status: response.status, type: response.header("Content-Type") ?? "",
            json: JSON(parsing: String(decoding: response.body, as: UTF8.self)) ?? .null)
    }

    /// - Throws: `Unexpected` unless the answer is 200.
    func get(_ path: String) async throws -> JSON {
        let answer = try await send("GET", path)
        guard answer.status == 200 else { throw Unexpected("GET \(path): \(answer)") }
        return answer.json
    }

    /// - Throws: `Unexpected` unless the answer is 200.
    func bytes(_ path: String) async throws -> [UInt8] {
        var headers = [("Authorization", "Bearer " + key)]
        if let tenant { headers.append(("Parley-Tenant", tenant)) }
        let response = try await http.send(HTTPRequest(method: "GET", url: url + path, headers: headers))
        guard response.status == 200 else { throw Unexpected("GET \(path): \(response.status)") }
        return response.body
    }

    /// The id of what was made.
    /// - Throws: `Unexpected` unless the answer is 2xx with an id.
    func create(_ path: String, _ body: JSON) async throws -> String {
        let answer = try await send("POST", path, body)
        guard (200..<300).contains(answer.status), let id = answer.json["id"]?.string else {
            throw Unexpected("POST \(path): \(answer)")
        }
        return id
    }
}
