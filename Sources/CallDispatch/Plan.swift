package import Agents
package import Base
package import Billing
package import Routing

package enum Direction: String, Hashable, Sendable, Codable { case inbound, outbound }

/// Everything a worker needs to run one call. Never touches disk, Redis or a log.
package struct Plan: Sendable, Codable {
    package var call: ID<Call>
    package var tenant: ID<Tenant>
    /// Fences every later write: reports of an older epoch are refused.
    package var epoch: Int
    package var direction: Direction
    package var region: String
    package var from: Redacted<E164>
    package var to: Redacted<E164>
    package var agent: ID<Agent>
    package var agentVersion: Int
    package var definition: AgentDefinition
    /// The call's own variables.
    package var variables: [String: String]
    package var carrier: CarrierAccount
    /// The carrier's id of the call, once known.
    package var carrierCallID: String?
    /// The newest first.
    package var vendors: [VendorCredential]
    package var prices: PriceBook
    /// nil: the agent's requests are not routed.
    package var routing: TenantRouting?
    /// Connected time the holds pay for so far, milliseconds.
    package var fundedMs: Int
    /// Hold extensions made so far.
    package var holdNumber: Int
    /// Media had started under an earlier epoch: resume from the checkpoint.
    package var isResumed: Bool
    /// Connected milliseconds before this epoch's media; 0 on a first attach.
    package var elapsedMs: Int
    /// 32 bytes, base64: seals this call's checkpoints in Redis.
    package var checkpointKey: Redacted<String>

    package init(
        call: ID<Call>, tenant: ID<Tenant>, epoch: Int, direction: Direction, region: String,
        from: Redacted<E164>,
        to: Redacted<E164>, agent: ID<Agent>, agentVersion: Int, definition: AgentDefinition,
        variables: [String: String],
        carrier: CarrierAccount, carrierCallID: String?, vendors: [VendorCredential], prices: PriceBook,
        fundedMs: Int,
        holdNumber: Int, isResumed: Bool, elapsedMs: Int, checkpointKey: Redacted<String>
    ) {
        self.call = call
        self.tenant = tenant
        self.epoch = epoch
        self.direction = direction
        self.region = region
        self.from = from
        self.to = to
        self.agent = agent
        self.agentVersion = agentVersion
        self.definition = definition
        self.variables = variables
        self.carrier = carrier
        self.carrierCallID = carrierCallID
        self.vendors = vendors
        self.prices = prices
        self.fundedMs = fundedMs
        self.holdNumber = holdNumber
        self.isResumed = isResumed
        self.elapsedMs = elapsedMs
        self.checkpointKey = checkpointKey
    }
}

/// A tenant's rules of routing, and where its day stood when the plan was made: what other calls spend since is not known.
package struct TenantRouting: Hashable, Sendable, Codable {
    package var rules: RoutingRules
    /// By routed requests of all its calls, as far as reported.
    package var spentToday: Money
    package init(rules: RoutingRules, spentToday: Money) {
        self.rules = rules
        self.spentToday = spentToday
    }
}

/// A tenant's account at a carrier.
package struct CarrierAccount: Hashable, Sendable, Codable {
    /// `twilio`.
    package var vendor: String
    package var accountSID: String
    package var authToken: Redacted<String>
    /// REST base without a trailing slash, `https://api.twilio.com`.
    package var baseURL: String
    /// Where the carrier asks what to do with an answered outbound call, and where it posts call progress.
    package var voiceURL: String
    package var statusURL: String

    package init(
        vendor: String, accountSID: String, authToken: Redacted<String>, baseURL: String, voiceURL: String,
        statusURL: String
    ) {
        self.vendor = vendor
        self.accountSID = accountSID
        self.authToken = authToken
        self.baseURL = baseURL
        self.voiceURL = voiceURL
        self.statusURL = statusURL
    }
}

package struct VendorCredential: Hashable, Sendable, Codable {
    /// `openai`.
    package var vendor: String
    /// As the tenant calls it.
    package var name: String?
    package var key: Redacted<String>
    /// Without a trailing slash, `https://api.openai.com/v1`.
    package var baseURL: String
    package init(vendor: String, name: String? = nil, key: Redacted<String>, baseURL: String) {
        self.vendor = vendor
        self.name = name
        self.key = key
        self.baseURL = baseURL
    }
}

extension [VendorCredential] {
    /// The tenant's newest account at a vendor, or its newest of the name that the vendor is given with
    /// (`compatible:groq`). The array has the newest first.
    package func account(_ vendor: String) -> VendorCredential? {
        let wanted = VendorAccount(vendor)
        return first {
            $0.vendor == wanted.vendor && (wanted.credential == nil || $0.name == wanted.credential)
        }
    }
}
