package import Base
import CallDispatch
import Hummingbird
import Logging
package import Store

/// What a key may do. `resource:read`, `resource:write`, `resource:*` or `*`.
package enum Scope: String, Sendable, CaseIterable {
    case all = "*"
    case tenantsRead = "tenants:read", tenantsWrite = "tenants:write", tenantsAll = "tenants:*"
    case keysRead = "keys:read", keysWrite = "keys:write", keysAll = "keys:*"
    case agentsRead = "agents:read", agentsWrite = "agents:write", agentsAll = "agents:*"
    case numbersRead = "numbers:read", numbersWrite = "numbers:write", numbersAll = "numbers:*"
    case credentialsRead = "credentials:read", credentialsWrite = "credentials:write", credentialsAll =
        "credentials:*"
    case callsRead = "calls:read", callsWrite = "calls:write", callsAll = "calls:*"
    case usageRead = "usage:read"
    case walletRead = "wallet:read", walletWrite = "wallet:write", walletAll = "wallet:*"
    case webhooksRead = "webhooks:read", webhooksWrite = "webhooks:write", webhooksAll = "webhooks:*"

    /// True when holding `self` is enough where `needed` is asked for.
    func covers(_ needed: Scope) -> Bool {
        if self == .all || self == needed { return true }
        guard rawValue.hasSuffix(":*") else { return false }
        return needed.rawValue.hasPrefix(rawValue.dropLast())
    }
}

/// Who asks, on whose behalf, and what they may do.
package struct Access: Sendable {
    package let key: ID<APIKey>
    /// The key's own tenant.
    package let holder: ID<Tenant>
    /// The tenant that is acted for: the key's own, or the descendant named by `Parley-Tenant`.
    package let tenant: ID<Tenant>
    /// Kind of the key's own tenant.
    package let kind: TenantKind
    package let scopes: [Scope]

    package var isOperator: Bool { kind == .operator }

    package func allows(_ needed: Scope) -> Bool { scopes.contains { $0.covers(needed) } }

    /// - Throws: 403 `missing_scope`.
    package func require(_ needed: Scope) throws {
        guard allows(needed) else {
            throw Problem(.forbidden, "missing_scope", "this key lacks the scope \(needed.rawValue)")
        }
    }

    /// - Throws: 403 `operator_only`.
    package func requireOperator() throws {
        guard isOperator else { throw Problem(.forbidden, "operator_only", "only the operator may do this") }
    }

    static func unauthorized(_ detail: String) -> Problem {
        var problem = Problem(.unauthorized, "unauthorized", detail)
        problem.headers[.wwwAuthenticate] = "Bearer"
        return problem
    }
}

/// Turns `Authorization: Bearer …` and `Parley-Tenant` into `Access`. Every failure of a key looks the same.
struct Authentication: RouterMiddleware {
    let keys: APIKeyStore

    func handle(
        _ request: Request, context: ControlRequest, next: (Request, ControlRequest) async throws -> Response
    ) async throws -> Response {
        let token = try Self.token(request)
        let named = try Self.namedTenant(request)
        guard let holder = try await keys.holder(of: token, acting: named) else {
            throw Access.unauthorized("this API key is not valid")
        }
        guard holder.mayAct != false else {
            throw Problem(
                .forbidden, "tenant_forbidden", "this key may not act for the tenant in Parley-Tenant")
        }
        var context = context
        context.access = Access(
            key: holder.key, holder: holder.tenant, tenant: named ?? holder.tenant, kind: holder.kind,
            scopes: holder.scopes.compactMap(Scope.init(rawValue:)))
        context.logger[metadataKey: "tenant"] = .stringConvertible(named ?? holder.tenant)
        return try await next(request, context)
    }

    private static func token(_ request: Request) throws -> Redacted<String> {
        guard let header = request.headers[.authorization] else {
            throw Access.unauthorized("send your API key as: Authorization: Bearer parley_live_…")
        }
        let parts = header.split(separator: " ", omittingEmptySubsequences: true)
        guard parts.count == 2, parts[0].lowercased() == "bearer",
            parts[1].utf8.count <= APIKeyToken.lengthMax
        else { throw Access.unauthorized("send your API key as: Authorization: Bearer parley_live_…") }
        let token = String(parts[1])
        // A key of ours with a wrong checksum is mistyped. The bootstrap key is the operator's own choice of text.
        guard !token.hasPrefix("parley_") || APIKeyToken.isWellFormed(token) else {
            throw Access.unauthorized("this API key is not valid")
        }
        return Redacted(token)
    }

    private static func namedTenant(_ request: Request) throws -> ID<Tenant>? {
        guard let text = request.headers[.parleyTenant] else { return nil }
        guard let id = ID<Tenant>(text) else {
            throw Problem(.badRequest, "bad_tenant_header", "Parley-Tenant must be an id like tenant_…")
        }
        return id
    }
}
