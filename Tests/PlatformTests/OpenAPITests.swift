import ControlPlane
import HTTPClient
import Operations
import TestKit
import Testing
import Yams

@Suite struct OpenAPITests {
    static let methods: Set<String> = ["get", "post", "put", "patch", "delete"]

    /// What carriers and workers of our own call is no part of the customers' document.
    static func isPublic(_ template: String) -> Bool {
        !template.hasPrefix("/internal/") && !template.hasPrefix("/carriers/")
    }

    @Test func theDocumentAndTheRoutesSayTheSame() async throws {
        let calls: @Sendable (ControlPlane.Parts) -> [any Routes] = { parts in
            let callParts = CallParts(
                database: parts.database, vault: parts.vault,
                urls: CarrierURLs(publicURL: "https://parley.test"),
                workerKey: CallBench.workerKey)
            return CallResources.keyed(
                parts, callParts, recordings: "/nonexistent",
                http: HTTPClient(addresses: .anyAddress, logger: .quiet))
        }
        try await TestPlatform.with(keyed: calls) { platform in
            let document = try #require(try Yams.load(yaml: TestPlatform.openAPI()) as? [String: Any])
            let paths = try #require(document["paths"] as? [String: [String: Any]])
            var written: Set<String> = []
            for (path, operations) in paths where Self.isPublic(path) {
                for method in operations.keys where Self.methods.contains(method) {
                    written.insert("\(method.uppercased()) \(path)")
                }
            }
            let registered = Set(platform.routes.filter { Self.isPublic($0.template) }.map(\.description))
            #expect(registered.subtracting(written).sorted() == [], "routes missing in api/openapi.yaml")
            #expect(written.subtracting(registered).sorted() == [], "in api/openapi.yaml, but no route")
        }
    }

    @Test func everyReferenceInTheDocumentIsThere() throws {
        let document = try #require(try Yams.load(yaml: TestPlatform.openAPI()) as? [String: Any])
        var missing: [String] = []
        func walk(_ value: Any) {
            if let members = value as? [String: Any] {
                if let reference = members["$ref"] as? String {
                    let parts = reference.split(separator: "/").dropFirst().map(String.init)
                    let found = parts.reduce(document as Any?) { ($0 as? [String: Any])?[$1] }
                    if found == nil { missing.append(reference) }
                }
                members.values.forEach(walk)
            } else if let values = value as? [Any] {
                values.forEach(walk)
            }
        }
        walk(document)
        #expect(missing.isEmpty)
    }

    @Test func everyCreateTakesAnIdempotencyKey() throws {
        let document = try #require(try Yams.load(yaml: TestPlatform.openAPI()) as? [String: Any])
        let paths = try #require(document["paths"] as? [String: [String: Any]])
        for (path, operations) in paths where path.hasPrefix("/v1/") {
            guard let post = operations["post"] as? [String: Any],
                let responses = post["responses"] as? [String: Any],
                responses["201"] != nil || responses["202"] != nil
            else { continue }
            let parameters =
                (post["parameters"] as? [[String: Any]] ?? [])
                + (operations["parameters"] as? [[String: Any]] ?? [])
            #expect(
                parameters.contains { $0["$ref"] as? String == "#/components/parameters/IdempotencyKey" },
                "\(path)")
        }
    }
}
