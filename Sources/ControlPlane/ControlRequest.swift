package import Base
package import HTTPTypes
package import Hummingbird
package import NIOCore

/// What travels with one request besides the request itself.
package struct ControlRequest: RequestContext {
    package typealias Source = ApplicationRequestContextSource

    package var coreContext: CoreRequestContextStorage
    /// Set by `Authentication`; nil on open routes.
    package var access: Access?
    /// In every answer (`X-Request-Id`) and log line.
    package var requestID: String
    package let channel: any Channel

    package init(source: Source) {
        coreContext = .init(source: source)
        channel = source.channel
        requestID = "req_" + String(UInt64.random(in: .min ... .max), radix: 36)
    }

    /// Who asks. Throws 401 when the route lies outside the keyed group.
    package func caller() throws -> Access {
        guard let access else { throw Access.unauthorized("this needs an API key") }
        return access
    }

    /// A path parameter that must be an id; anything else is 404: there is no such thing.
    package func id<Of: Entity>(_ name: String, _: Of.Type = Of.self) throws -> ID<Of> {
        guard let text = parameters.get(name), let id = ID<Of>(text) else {
            throw Problem.notFound(Of.prefix)
        }
        return id
    }
}

extension HTTPField.Name {
    package static let requestID = Self.known("X-Request-Id")
    package static let idempotencyKey = Self.known("Idempotency-Key")
    package static let idempotentReplayed = Self.known("Idempotent-Replayed")
    package static let parleyTenant = Self.known("Parley-Tenant")

    private static func known(_ name: String) -> HTTPField.Name {
        guard let field = HTTPField.Name(name) else { preconditionFailure("\(name) is not a header's name") }
        return field
    }
}
