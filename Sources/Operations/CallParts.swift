package import Base
package import CallDispatch
package import Crypto
package import Store

/// What operations on calls are made of.
package struct CallParts: Sendable {
    package var database: Database
    package var vault: Vault
    package var urls: CarrierURLs
    /// Seals media tokens: `PARLEY_WORKER_KEY`.
    package var workerKey: SymmetricKey

    package init(database: Database, vault: Vault, urls: CarrierURLs, workerKey: SymmetricKey) {
        self.database = database
        self.vault = vault
        self.urls = urls
        self.workerKey = workerKey
    }
}

/// Where carriers reach the control plane, built on `PARLEY_PUBLIC_URL`.
package struct CarrierURLs: Sendable {
    /// Without a trailing slash.
    package let publicURL: String

    package init(publicURL: String) {
        self.publicURL = publicURL.hasSuffix("/") ? String(publicURL.dropLast()) : publicURL
    }

    package func voice(_ call: ID<Call>) -> String { publicURL + "/carriers/twilio/voice?call=\(call)" }
    package func status(_ call: ID<Call>) -> String { publicURL + "/carriers/twilio/status?call=\(call)" }
    package func proceed(_ call: ID<Call>) -> String { publicURL + "/carriers/twilio/continue?call=\(call)" }
}

/// What a carrier is told to do with a call.
package enum CarrierAnswer: Sendable {
    /// Stream to a worker; when the stream ends, ask `proceed`.
    case connect(token: MediaToken, mediaURL: String)
    /// Say a line and hang up.
    case refuse(line: String)
    case hangUp
}

extension CarrierAnswer {
    /// Streams the call to the worker of its row. The same row gives the same token.
    static func connect(_ call: CallRow, to place: LeaseStore.Place) -> CarrierAnswer {
        guard let due = call.times.mediaDue else { return .hangUp }
        let token = MediaToken(
            tenant: call.tenant, call: call.id, worker: place.worker, epoch: call.epoch, expires: due)
        return .connect(token: token, mediaURL: place.mediaURL)
    }
}

extension Refusal {
    static let noSuchCall = Refusal(code: "not_found", message: "there is no such call")
    static let staleEpoch = Refusal(
        code: "stale_epoch", message: "the call has moved to another worker or ended")
}
