import HTTPTypes
import Hummingbird

/// One endpoint: `GET /v1/agents/{id}`.
package struct Route: Hashable, Sendable, Comparable, CustomStringConvertible {
    package var method: String
    package var template: String
    package var description: String { "\(method) \(template)" }
    package static func < (a: Route, b: Route) -> Bool { (a.template, a.method) < (b.template, b.method) }
}

/// A router that remembers what was registered on it, so that routes can be held against the API document and a
/// wrong method can be told from a wrong path.
final class RouteTable: RouterMethods {
    typealias Context = ControlRequest

    let router: Router<ControlRequest>
    // Only written while the router is built, by one thread, before it serves.
    private nonisolated(unsafe) var known: [Route] = []

    init() { router = Router(context: ControlRequest.self) }

    var routes: [Route] { known.sorted() }

    @discardableResult
    func on<Responder: HTTPResponder>(
        _ path: RouterPath, method: HTTPRequest.Method, responder: Responder
    ) -> Self where Responder.Context == ControlRequest {
        known.append(Route(method: method.rawValue, template: Self.template(path)))
        router.on(path, method: method, responder: responder)
        return self
    }

    @discardableResult
    func add(middleware: any MiddlewareProtocol<Request, Response, ControlRequest>) -> Self {
        router.add(middleware: middleware)
        return self
    }

    private static func template(_ path: RouterPath) -> String {
        let text = path.description
        return text.hasPrefix("/") ? text : "/" + text
    }
}

/// The methods of each path, for answering 405.
struct AllowedMethods: Sendable {
    private let templates: [(segments: [Substring], method: String)]

    init(_ routes: [Route]) {
        templates = routes.map { ($0.template.split(separator: "/"), $0.method) }
    }

    /// Sorted; empty when no route has this path.
    func methods(of path: String) -> [String] {
        let segments = path.split(separator: "/")
        let found = templates.filter { template in
            template.segments.count == segments.count
                && zip(template.segments, segments).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
        }
        return Set(found.map(\.method)).sorted()
    }
}
