import HTTPClient

/// Posts a webhook under the address policy of its client; any status is an answer.
struct WebhookPost: Sendable {
    let http: HTTPClient

    @Sendable func callAsFunction(
        _ url: String, _ headers: [(String, String)], _ body: [UInt8], _ limit: Duration
    ) async throws -> Int {
        var limits = HTTPLimits()
        limits.total = limit
        return try await http.send(
            HTTPRequest(method: "POST", url: url, headers: headers, body: body, limits: limits)
        ).status
    }
}
