import Base
import HTTPTypes
import Hummingbird
import Logging
import Metrics
import NIOCore

/// The outermost layer: request id, one log line, one measurement, and a problem document for whatever was thrown.
struct Frame: RouterMiddleware {
    /// After refusing a body the connection stays open this long, so that the client can read why.
    static let linger: TimeAmount = .seconds(1)

    let allowed: @Sendable (String) -> [String]

    func handle(
        _ request: Request, context: ControlRequest, next: (Request, ControlRequest) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        var context = context
        context.logger[metadataKey: "request"] = .string(context.requestID)
        var response: Response
        do {
            response = try await next(request, context)
        } catch {
            response = answer(error, request, context)
        }
        response.headers[.requestID] = context.requestID
        response.headers[.cacheControl] = response.headers[.cacheControl] ?? "no-store"
        measure(request, response, context, since: start)
        return response
    }

    private func answer(_ error: any Error, _ request: Request, _ context: ControlRequest) -> Response {
        var problem = Problem(error)
        if context.endpointPath == "NotFound" || context.endpointPath == nil {
            problem = unknownRoute(request) ?? problem
        }
        if problem.status.code >= 500 {
            // The error of a driver or a bug of ours; neither holds the request's body.
            context.logger.error(
                "request failed", metadata: ["code": .string(problem.code), "error": .string("\(error)")])
        }
        var response = problem.response(requestID: context.requestID)
        if problem.closesConnection {
            response.headers[.connection] = "close"
            let channel = context.channel
            channel.eventLoop.scheduleTask(in: Self.linger) { channel.close(promise: nil) }
        }
        return response
    }

    private func unknownRoute(_ request: Request) -> Problem? {
        let methods = allowed(request.uri.path)
        guard !methods.isEmpty, !methods.contains(request.method.rawValue) else {
            return Problem(.notFound, "not_found", "there is nothing at this path")
        }
        var problem = Problem(
            .methodNotAllowed, "method_not_allowed", "this path takes \(methods.joined(separator: ", "))")
        problem.headers[.allow] = methods.joined(separator: ", ")
        return problem
    }

    private func measure(
        _ request: Request, _ response: Response, _ context: ControlRequest,
        since start: ContinuousClock.Instant
    ) {
        let taken = ContinuousClock.now - start
        // The template, never the path: ids would make a series each.
        let route = context.endpointPath ?? "none"
        let status = String(response.status.code)
        Timer(
            label: "parley_http_request_duration_seconds",
            dimensions: [("route", route), ("method", request.method.rawValue), ("status", status)]
        ).recordNanoseconds(taken.nanoseconds)
        context.logger.debug(
            "request",
            metadata: [
                "method": .string(request.method.rawValue), "route": .string(route),
                "status": .string(status),
                "ms": .stringConvertible(taken.milliseconds),
            ])
    }
}
