import Base
import HTTPTypes
package import Hummingbird
package import Store

/// Something that must work before this process may get requests.
package struct ReadyCheck: Sendable {
    package var name: String
    /// nil when all is well, else what is wrong, for the operator.
    package var check: @Sendable () async -> String?
    package init(_ name: String, _ check: @escaping @Sendable () async -> String?) {
        self.name = name
        self.check = check
    }

    /// The database answers, and has the partitions it needs now and next month.
    package static func database(_ database: Database) -> ReadyCheck {
        ReadyCheck("database") {
            do {
                let missing = try await PartitionKeeper(database).missing()
                return missing.isEmpty ? nil : "partitions missing: \(missing.joined(separator: ", "))"
            } catch {
                return "unreachable"
            }
        }
    }
}

/// `/healthz`, `/readyz`, `/metrics`, `/openapi.yaml`: open to all who reach the port.
package struct HealthRoutes: Routes {
    let checks: [ReadyCheck]
    let metrics: @Sendable () -> String
    let openAPI: String

    package init(checks: [ReadyCheck], metrics: @escaping @Sendable () -> String, openAPI: String) {
        self.checks = checks
        self.metrics = metrics
        self.openAPI = openAPI
    }

    package func add(to router: RouterGroup<ControlRequest>) {
        router.get("/healthz") { _, _ in Answer.json(["status": "ok"]) }
        router.get("/readyz") { _, _ in await ready() }
        router.get("/metrics") { _, _ in
            Answer.text(metrics(), type: "text/plain; version=0.0.4; charset=utf-8")
        }
        router.get("/openapi.yaml") { _, _ in Answer.text(openAPI, type: "application/yaml") }
    }

    private func ready() async -> Response {
        var results: [String: JSON] = [:]
        var isReady = true
        for check in checks {
            let wrong = await check.check()
            results[check.name] = .string(wrong ?? "ok")
            isReady = isReady && wrong == nil
        }
        let body: JSON = ["status": isReady ? "ready" : "not_ready", "checks": .object(results)]
        return Answer.json(body, status: isReady ? .ok : .serviceUnavailable)
    }
}
