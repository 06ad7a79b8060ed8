package import Base
import Crypto
import Foundation
import Store

/// Tells tenants' endpoints what happened: Standard Webhooks, at least once, for three days.
package struct DeliverWebhooks: Sendable {
    /// Waits before the second and further tries; then it is given up.
    package static let retries: [Duration] = [
        .seconds(5), .seconds(300), .seconds(1800), .seconds(7200), .seconds(18_000), .seconds(36_000),
        .seconds(50_400),
        .seconds(72_000), .seconds(86_400),
    ]
    package static let batchMax = 50
    package static let perEndpointMax = 4
    /// Longer than any try takes.
    package static let lease: Duration = .seconds(60)
    package static let answerLimit: Duration = .seconds(15)

    /// Posts a body and returns the status; given by the role that has the HTTP client with the address
    /// policy.
    package typealias Post =
        @Sendable (
            _ url: String, _ headers: [(String, String)], _ body: [UInt8], _ limit: Duration
        ) async throws -> Int

    private let deliveries: DeliveryStore
    private let vault: Vault
    private let post: Post

    package init(_ parts: CallParts, post: @escaping Post) {
        deliveries = DeliveryStore(parts.database)
        vault = parts.vault
        self.post = post
    }

    /// One round over what is due. - Returns: how many tries were made.
    package func callAsFunction() async throws -> Int {
        let due = try await deliveries.take(
            limit: Self.batchMax, perEndpoint: Self.perEndpointMax, lease: Self.lease)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for one in due { group.addTask { try await deliver(one) } }
            try await group.waitForAll()
        }
        return due.count
    }

    private func deliver(_ due: DeliveryStore.Due) async throws {
        let secret = try await vault.seal(for: due.tenant).open(
            due.sealedSecret, column: WebhookStore.secretColumn, row: due.endpoint.description)
        let body = Array(due.body.utf8)
        let headers = WebhookSignature(key: secret).headers(
            id: due.message.description, at: .current, body: body)
        let status: Int
        do {
            status = try await post(due.url, headers, body, Self.answerLimit)
        } catch {
            return try await failed(due, status: nil, "\(type(of: error))")
        }
        switch status {
        case 200..<300: try await deliveries.delivered(due, status: status)
        case 410:
            try await deliveries.disable(due)
            try await deliveries.failed(due, status: status, error: "gone", retry: nil)
        default: try await failed(due, status: status, "status \(status)")
        }
    }

    private func failed(_ due: DeliveryStore.Due, status: Int?, _ error: String) async throws {
        let wait = due.attempts < Self.retries.count ? Self.retries[due.attempts] : nil
        // Up to a tenth more, so that what failed together is not tried together.
        let spread = wait.map { $0 + $0 * Double.random(in: 0...0.1) }
        try await deliveries.failed(due, status: status, error: error, retry: spread)
    }
}

/// Signs webhook bodies. Source: standard-webhooks/spec, symmetric `v1`.
package struct WebhookSignature: Sendable {
    package static let secretBytes = 32
    package static let prefix = "whsec_"
    private let key: SymmetricKey

    package init(key: [UInt8]) { self.key = SymmetricKey(data: key) }

    /// nil unless it is `whsec_` and 24 to 64 bytes in base64.
    package init?(secret: String) {
        guard secret.hasPrefix(Self.prefix),
            let key = Data(base64Encoded: String(secret.dropFirst(Self.prefix.count))),
            (24...64).contains(key.count)
        else { return nil }
        self.init(key: Array(key))
    }

    /// A new secret's bytes, and what its owner is shown once.
    package static func makeSecret() -> (key: [UInt8], text: Redacted<String>) {
        let key = SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) }
        return (key, Redacted(prefix + Data(key).base64EncodedString()))
    }

    /// `v1,<base64>` over `id.seconds.body`.
    package func signature(id: String, seconds: Int64, body: [UInt8]) -> String {
        let mac = HMAC<SHA256>.authenticationCode(
            for: Data("\(id).\(seconds).".utf8) + Data(body), using: key)
        return "v1," + Data(mac).base64EncodedString()
    }

    package func headers(id: String, at now: Timestamp, body: [UInt8]) -> [(String, String)] {
        let seconds = now.milliseconds / 1000
        return [
            ("content-type", "application/json"), ("webhook-id", id), ("webhook-timestamp", String(seconds)),
            ("webhook-signature", signature(id: id, seconds: seconds, body: body)),
        ]
    }
}
