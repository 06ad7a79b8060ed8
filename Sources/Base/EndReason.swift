/// Why a call ended, in our vocabulary. One table: each end has one reason, and every reason is listed here.
package enum EndReason: String, Hashable, Sendable, Codable, CaseIterable {
    /// The agent said goodbye.
    case agentEnded = "agent_ended"
    case callerHungUp = "caller_hung_up"
    /// Ended through the API.
    case requested
    /// The caller said nothing for too long.
    case silence
    case timeLimit = "time_limit"
    case noFunds = "no_funds"
    /// The agent could not go on (dead model, unknown node, bug).
    case agentFailed = "agent_failed"
    /// Outbound: the other side.
    case busy
    case noAnswer = "no_answer"
    /// A fax machine.
    case fax
    case rejected
    case cancelled
    /// The carrier refused or lost the call.
    case carrierFailed = "carrier_failed"
    /// The worker was lost and the call could not be resumed.
    case workerLost = "worker_lost"
    /// Nobody claimed it in time, or no worker was free.
    case noWorker = "no_worker"
    case internalError = "internal_error"

    /// The call was connected when it ended this way, as far as the reason alone tells.
    package var isFailure: Bool {
        switch self {
        case .agentEnded, .callerHungUp, .requested, .silence, .timeLimit, .noFunds, .cancelled: false
        case .agentFailed, .busy, .noAnswer, .fax, .rejected, .carrierFailed, .workerLost, .noWorker,
            .internalError:
            true
        }
    }
}
