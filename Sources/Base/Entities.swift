/// The kinds of thing that carry an `ID`. Each names the prefix its ids show outside (`call_…`), so
/// that an id pasted into the wrong place is refused by name.
package protocol Entity: SendableMetatype {
    /// Lower-case letters, unique among entities.
    static var prefix: String { get }
}

package enum Tenant: Entity { package static let prefix = "tenant" }
package enum APIKey: Entity { package static let prefix = "key" }
package enum Agent: Entity { package static let prefix = "agent" }
package enum PhoneNumber: Entity { package static let prefix = "number" }
package enum Credential: Entity { package static let prefix = "credential" }
package enum Call: Entity { package static let prefix = "call" }
package enum Worker: Entity { package static let prefix = "worker" }
package enum Entry: Entity { package static let prefix = "entry" }
package enum Hold: Entity { package static let prefix = "hold" }
package enum PriceBookEntity: Entity { package static let prefix = "prices" }
package enum WebhookEndpoint: Entity { package static let prefix = "endpoint" }
package enum WebhookMessage: Entity { package static let prefix = "msg" }
