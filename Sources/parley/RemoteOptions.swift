import ArgumentParser
import Foundation
import HTTPClient

/// How a command reaches a running platform.
struct RemoteOptions: ParsableArguments {
    @Option(help: "The platform's API. [PARLEY_PUBLIC_URL, http://127.0.0.1:8080]") var url: String?
    @Option(help: "An API key. [PARLEY_API_KEY]") var key: String?

    @Option(help: "Act for this tenant, with an operator's key.") var tenant: String?

    func api(_ http: HTTPClient) throws -> APIClient {
        let environment = ProcessInfo.processInfo.environment
        guard let key = key ?? environment["PARLEY_API_KEY"] else {
            throw ValidationError("this needs an API key: --key or PARLEY_API_KEY")
        }
        return APIClient(
            client: http, baseURL: url ?? environment["PARLEY_PUBLIC_URL"] ?? "http://127.0.0.1:8080",
            key: key,
            tenant: tenant)
    }
}
