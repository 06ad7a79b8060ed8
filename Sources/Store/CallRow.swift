import Agents
package import Base
package import Billing
package import CallDispatch
import Foundation
package import Postgres

/// A call as PostgreSQL has it.
package struct CallRow: Sendable {
    /// Forward only, but for `claimed` → `queued` when a claim died before dialing.
    package enum State: String, Sendable, CaseIterable {
        case queued, claimed, dialing
        case inProgress = "in_progress"
        case ended
    }

    package let id: ID<Call>
    package let tenant: ID<Tenant>
    package let agent: ID<Agent>
    package let agentVersion: Int
    package let direction: Direction
    /// As the carrier gave it: an inbound caller may be anonymous.
    package let from: Redacted<String>
    package let to: Redacted<String>
    package let region: String
    package let state: State
    package let epoch: Int
    /// The epoch whose media is attached; 0 before the first.
    package let mediaEpoch: Int
    package let worker: ID<Worker>?
    package let credential: ID<Credential>?
    package let carrierCallID: String?
    package let carrierStatus: String?
    package let variables: [String: String]
    package let metadata: JSON
    package let prices: PriceBook
    /// What the hold reckons with.
    package let components: Set<Usage.Component>
    package let maxSeconds: Int
    package let ringSeconds: Int
    package let endReason: EndReason?
    package let connectedMs: Int64
    /// Known once it has ended.
    package let cost: Money?
    package let times: Times

    package struct Times: Sendable {
        package let created: Timestamp
        package let released: Timestamp?
        package let dialing: Timestamp?
        package let answered: Timestamp?
        package let ended: Timestamp?
        package let mediaDue: Timestamp?
        package let endRequested: Timestamp?
        package let carrierEnded: Timestamp?
        /// Since then nothing is left of what was said.
        package let forgotten: Timestamp?
    }
}

extension CallRow {
    package static let columns = """
        id, tenant_id, agent_id, agent_version, direction, from_number, to_number, region, state, epoch,
            media_epoch,
        worker_id, credential_id, carrier_call_id, carrier_status, variables, metadata, price_book_id, rates,
        to_json(components) AS components, max_seconds, ring_seconds, end_reason, connected_ms, cost_nanos,
        parley_ms(created_at) AS created, parley_ms(released_at) AS released, parley_ms(dialing_at) AS
            dialing,
        parley_ms(answered_at) AS answered, parley_ms(ended_at) AS ended, parley_ms(media_due_at) AS
            media_due,
        parley_ms(end_requested_at) AS end_requested, parley_ms(carrier_ended_at) AS carrier_ended,
        parley_ms(forgotten_at) AS forgotten
        """

    package init(_ row: PostgresRow) throws {
        id = try row.id("id")
        tenant = try row.id("tenant_id")
        agent = try row.id("agent_id")
        agentVersion = Int(try row.int("agent_version"))
        direction = try Self.value(row, "direction")
        from = Redacted(try row.text("from_number"))
        to = Redacted(try row.text("to_number"))
        region = try row.text("region")
        state = try Self.value(row, "state")
        epoch = Int(try row.int("epoch"))
        mediaEpoch = Int(try row.int("media_epoch"))
        worker = try row.optionalID("worker_id")
        credential = try row.optionalID("credential_id")
        carrierCallID = try row.optionalText("carrier_call_id")
        carrierStatus = try row.optionalText("carrier_status")
        variables = (try row.json("variables").object ?? [:]).compactMapValues(\.string)
        metadata = try row.json("metadata")
        prices = PriceBook(
            id: try row.id("price_book_id"),
            rates: try JSONDecoder().decode([Rate].self, from: Data(try row.text("rates").utf8)))
        components = Set(try row.texts("components").compactMap(Usage.Component.init(rawValue:)))
        maxSeconds = Int(try row.int("max_seconds"))
        ringSeconds = Int(try row.int("ring_seconds"))
        endReason = try row.optionalText("end_reason").flatMap(EndReason.init(rawValue:))
        connectedMs = try row.int("connected_ms")
        cost = try row.optionalInt("cost_nanos").map { Money(nanos: $0) }
        times = Times(
            created: try row.time("created"), released: try row.optionalTime("released"),
            dialing: try row.optionalTime("dialing"), answered: try row.optionalTime("answered"),
            ended: try row.optionalTime("ended"), mediaDue: try row.optionalTime("media_due"),
            endRequested: try row.optionalTime("end_requested"),
            carrierEnded: try row.optionalTime("carrier_ended"),
            forgotten: try row.optionalTime("forgotten"))
    }

    private static func value<Value: RawRepresentable>(
        _ row: PostgresRow, _ column: String
    ) throws -> Value where Value.RawValue == String {
        guard let value = Value(rawValue: try row.text(column)) else {
            throw Fault(code: "store.unreadable_row", retry: .never, cause: "calls.\(column)")
        }
        return value
    }
}

/// A call about to be written.
package struct NewCall: Sendable {
    package var id: ID<Call>
    package var agent: ID<Agent>
    package var agentVersion: Int
    package var direction: Direction
    package var from: Redacted<String>
    package var to: Redacted<String>
    package var region: String
    package var credential: ID<Credential>?
    package var variables: [String: String] = [:]
    package var metadata: JSON = [:]
    package var prices: PriceBook
    package var components: Set<Usage.Component>
    package var maxSeconds: Int
    package var ringSeconds: Int

    package init(
        agent: AgentRelease, direction: Direction, from: Redacted<String>, to: Redacted<String>,
        region: String,
        prices: PriceBook
    ) {
        id = .new()
        self.agent = agent.id
        agentVersion = agent.version
        self.direction = direction
        self.from = from
        self.to = to
        self.region = region
        self.prices = prices.narrowed(to: agent.definition.prompt?.models ?? [])
        components = agent.components
        maxSeconds = agent.definition.limits.maxSeconds
        ringSeconds = agent.definition.limits.ringSeconds
    }
}
