package import Base

/// All a worker knows of the control plane. Called directly in one process, over HTTP between processes.
///
/// Every call can be repeated. Throws `Refusal` when the rules say no, `Fault` when the control plane is away.
package protocol ControlLink: Sendable {
    /// Renews the worker's lease (2 s on the database's clock) with the calls whose media loop is alive.
    func renew(_ status: WorkerStatus) async throws -> LeaseAnswer
    /// One winner: nil when the call is not waiting any more (claimed, ended).
    func claim(_ call: ID<Call>, tenant: ID<Tenant>, worker: ID<Worker>) async throws -> Plan?
    /// Binds a media stream to its call. A token of another worker moves the claim here (epoch + 1); a token of an
    /// older epoch, an expired one, or a second stream of the same epoch is refused.
    func attach(_ token: MediaToken, worker: ID<Worker>, carrierCallID: String) async throws -> Plan
    /// Holds funds for the next interval; `number` counts from 1 and makes it repeatable.
    func extendHold(_ call: ID<Call>, tenant: ID<Tenant>, epoch: Int, number: Int) async throws -> HoldAnswer
    /// Stores facts in order; duplicates are skipped.
    func report(_ reports: [Report]) async throws -> ReportReceipt
}

package struct WorkerStatus: Sendable, Codable {
    package var worker: ID<Worker>
    package var region: String
    /// `ws://host:port` where the carrier reaches this worker's media sockets.
    package var mediaURL: String
    package var capacity: Int
    package var isDraining: Bool
    package var live: [CallKey]
    package init(
        worker: ID<Worker>, region: String, mediaURL: String, capacity: Int, isDraining: Bool,
        live: [CallKey]
    ) {
        self.worker = worker
        self.region = region
        self.mediaURL = mediaURL
        self.capacity = capacity
        self.isDraining = isDraining
        self.live = live
    }
}

/// A call under one epoch: what a worker holds.
package struct CallKey: Hashable, Sendable, Codable {
    package var call: ID<Call>
    package var tenant: ID<Tenant>
    package var epoch: Int
    package init(call: ID<Call>, tenant: ID<Tenant>, epoch: Int) {
        self.call = call
        self.tenant = tenant
        self.epoch = epoch
    }
}

package struct LeaseAnswer: Sendable, Codable {
    /// Calls this worker must drop at once: their claim has moved or they have ended.
    package var revoked: [ID<Call>]
    /// Calls to end politely: asked for through the API.
    package var toEnd: [ID<Call>]
    package init(revoked: [ID<Call>], toEnd: [ID<Call>]) {
        self.revoked = revoked
        self.toEnd = toEnd
    }
}

package enum HoldAnswer: Hashable, Sendable, Codable {
    /// The holds pay for this much connected time in all, milliseconds.
    case funded(untilMs: Int)
    case refused
}

package struct ReportReceipt: Sendable, Codable {
    /// Calls whose epoch has moved on: the worker drops them and stops reporting.
    package var fenced: [ID<Call>]
    package init(fenced: [ID<Call>]) { self.fenced = fenced }
}

/// The rules say no. `code` is stable and shown to API clients; `message` is for people.
package struct Refusal: Error, Hashable, Sendable, Codable, CustomStringConvertible {
    /// What is refused of a body, by its path like `definition.prompt.model`.
    package struct Field: Hashable, Sendable, Codable {
        package var path: String
        package var message: String
        package init(path: String, message: String) {
            self.path = path
            self.message = message
        }
    }

    package var code: String
    package var message: String
    package var fields: [Field]
    package init(code: String, message: String, fields: [Field] = []) {
        self.code = code
        self.message = message
        self.fields = fields
    }
    package var description: String { "\(code): \(message)" }
}
