package import CallDispatch
package import HTTPClient
package import Operations

/// The routes about calls and their money, for the one who joins the parts.
package enum CallResources {
    /// Need an API key. `recordings`: the directory workers write to. `http` reaches carriers.
    package static func keyed(
        _ parts: ControlPlane.Parts, _ calls: CallParts, recordings: String, http: HTTPClient
    ) -> [any Routes] {
        [
            CallRoutes(parts, calls, http: http), CallFileRoutes(parts, recordings: recordings),
            UsageRoutes(parts),
            WalletRoutes(parts), WebhookEndpointRoutes(parts),
        ]
    }

    /// Have their own authentication: the carrier's signature, the worker key as it is written in
    /// `PARLEY_WORKER_KEY`.
    package static func open(_ calls: CallParts, link: any ControlLink, workerKey: String) -> [any Routes] {
        [CarrierRoutes(calls), WorkerRoutes(link: link, key: workerKey)]
    }
}
