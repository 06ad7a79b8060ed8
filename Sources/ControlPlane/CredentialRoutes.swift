import Base
import HTTPTypes
import Hummingbird
import Postgres
import Store

/// `/v1/credentials`: accounts at carriers and model vendors. Secrets go in and never come out.
struct CredentialRoutes: Routes {
    private let parts: ControlPlane.Parts
    private let credentials: CredentialStore

    init(_ parts: ControlPlane.Parts) {
        self.parts = parts
        credentials = CredentialStore(parts.database, vault: parts.vault)
    }

    func add(to router: RouterGroup<ControlRequest>) {
        router.post("/v1/credentials", use: create)
        router.get("/v1/credentials", use: list)
        router.get("/v1/credentials/{id}", use: get)
        router.delete("/v1/credentials/{id}", use: delete)
    }

    private func create(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let access = try context.caller()
        try access.require(.credentialsWrite)
        let body = try await Convert.body(request, context)
        let fields = try body.fields()
        let vendor = fields.choice("vendor", or: Vendor.twilio)
        let name = fields.optionalString("name") ?? vendor.rawValue
        let account = vendor == .twilio ? Self.accountSID(fields) : nil
        let secret = Redacted(Self.secret(fields, vendor == .twilio ? "auth_token" : "api_key"))
        let baseURL = fields.required(
            "base_url", fields.optionalURL("base_url") ?? vendor.defaultBaseURL, or: "")
        try fields.finish()
        let row = CredentialRow(
            id: .new(), vendor: vendor, name: name, account: account, baseURL: baseURL,
            last4: String(secret.reveal.suffix(4)))
        let sealed = try await credentials.sealed(access.tenant, id: row.id, secret: secret)
        return try await parts.idempotency.create(request, context, body) { sql in
            try await CredentialStore.insert(access.tenant, row, sealed: sealed, in: sql)
            return StoredAnswer(
                status: 201, location: "/v1/credentials/\(row.id)", body: Self.json(row).text)
        }
    }

    private func list(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let access = try context.caller()
        try access.require(.credentialsRead)
        let page = try parts.cursors.page(
            request, list: "credentials", tenant: access.tenant, Credential.self)
        let found = try await credentials.list(access.tenant, page)
        return Answer.list(
            found.rows.map(Self.json),
            nextCursor: parts.cursors.text(found.next, list: "credentials", tenant: access.tenant))
    }

    private func get(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let access = try context.caller()
        try access.require(.credentialsRead)
        guard let row = try await credentials.find(access.tenant, id: try context.id("id")) else {
            throw Problem.notFound("credential")
        }
        return Answer.json(Self.json(row))
    }

    private func delete(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let access = try context.caller()
        try access.require(.credentialsWrite)
        do {
            guard try await credentials.delete(access.tenant, id: try context.id("id")) else {
                throw Problem.notFound("credential")
            }
        } catch let error as PostgresError where error.sqlState == "23503" {
            throw Problem(.conflict, "in_use", "a phone number uses this credential")
        }
        return Answer.noContent()
    }

    private static func accountSID(_ fields: Fields) -> String {
        let sid = fields.optional("account_sid", "letters and digits, at most 100") { json in
            json.string.flatMap { text in
                let isPlain = text.utf8.allSatisfy {
                    Character(Unicode.Scalar($0)).isASCII && isAlphanumeric($0)
                }
                return isPlain && (1...100).contains(text.utf8.count) ? text : nil
            }
        }
        return fields.required("account_sid", sid, or: "")
    }

    /// Printable ASCII: it goes into a header.
    private static func secret(_ fields: Fields, _ name: String) -> String {
        let secret = fields.optional(name, "8 to 500 printable ASCII characters without spaces") { json in
            json.string.flatMap { text in
                let isPlain = text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
                return isPlain && (8...500).contains(text.utf8.count) ? text : nil
            }
        }
        return fields.required(name, secret, or: "")
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }

    static func json(_ row: CredentialRow) -> JSON {
        var members: [String: JSON] = [
            "id": .id(row.id), "object": "credential", "vendor": .string(row.vendor.rawValue),
            "name": .string(row.name), "base_url": .string(row.baseURL), "last4": .string(row.last4),
            "created_at": .time(row.created),
        ]
        if let account = row.account { members["account_sid"] = .string(account) }
        return .object(members)
    }
}
