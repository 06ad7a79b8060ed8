import Base
import HTTPTypes
import Hummingbird
import Logging
import Metrics
import NIOCore
import Postgres

/// The outermost layer: request id, one log line, one measurement, and a problem document for whatever was thrown.
struct Frame: RouterMiddleware {
    /// After refusing a body the connection stays open this long, so that the client can read why.
    static let linger: TimeAmount = .seconds(1)

    let metrics: any MetricsFactory
    let allowed: @Sendable (String) -> [String]

    func handle(
        _ request: Request, context: ControlRequest, next: (Request, ControlRequest) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        var context = context
        context.logger[metadataKey: "request"] = .string(context.requestID)
        var response: Response
        var wrong: (problem: Problem, error: any Error)?
        do {
            response = try await next(request, context)
        } catch {
            let problem = problem(for: error, request, context)
            response = answer(problem, context)
            wrong = (problem, error)
        }
        response.headers[.requestID] = context.requestID
        response.headers[.cacheControl] = response.headers[.cacheControl] ?? "no-store"
        note(request, response.status, context, ContinuousClock.now - start, wrong)
        return response
    }

    private func problem(for error: any Error, _ request: Request, _ context: ControlRequest) -> Problem {
        if context.endpointPath == "NotFound" || context.endpointPath == nil {
            return unknownRoute(request)
        }
        return Problem(error)
    }

    private func answer(_ problem: Problem, _ context: ControlRequest) -> Response {
        var response = problem.response(requestID: context.requestID)
        if problem.closesConnection {
            response.headers[.connection] = "close"
            let channel = context.channel
            channel.eventLoop.scheduleTask(in: Self.linger) { channel.close(promise: nil) }
        }
        return response
    }

    private func unknownRoute(_ request: Request) -> Problem {
        let methods = allowed(request.uri.path)
        guard !methods.isEmpty, !methods.contains(request.method.rawValue) else {
            return Problem(.notFound, "not_found", "there is nothing at this path")
        }
        var problem = Problem(
            .methodNotAllowed, "method_not_allowed", "this path takes \(methods.joined(separator: ", "))")
        problem.headers[.allow] = methods.joined(separator: ", ")
        return problem
    }

    /// One measurement and one log line. Neither holds a path (ids would make a series each) or anything of a body.
    private func note(
        _ request: Request, _ status: HTTPResponse.Status, _ context: ControlRequest, _ taken: Duration,
        _ wrong: (problem: Problem, error: any Error)?
    ) {
        let route = context.endpointPath ?? "NotFound"
        Timer(
            label: "parley_http_request_duration_seconds",
            dimensions: [
                ("route", route), ("method", Self.method(request)), ("status", String(status.code)),
            ], factory: metrics
        ).recordNanoseconds(taken.nanoseconds)
        var metadata: Logger.Metadata = [
            "method": .string(Self.method(request)), "route": .string(route),
            "status": .stringConvertible(status.code),
            "ms": .stringConvertible(taken.milliseconds),
        ]
        guard let wrong else {
            context.logger.debug("request", metadata: metadata)
            return
        }
        metadata["code"] = .string(wrong.problem.code)
        if status.code >= 500 {
            metadata["error"] = .string(Self.loggable(wrong.error))
            context.logger.error("request failed", metadata: metadata)
        } else {
            context.logger.info("request refused", metadata: metadata)
        }
    }

    /// Clients make methods up; a series for each would be theirs to make.
    private static func method(_ request: Request) -> String {
        let known: [HTTPRequest.Method] = [.get, .post, .put, .patch, .delete, .head, .options]
        return known.contains(request.method) ? request.method.rawValue : "other"
    }

    /// Errors of ours say nothing of a request; of others only the kind is safe to write down.
    private static func loggable(_ error: any Error) -> String {
        switch error {
        case let fault as Fault: fault.description
        case let error as PostgresError: error.description
        default: String(describing: type(of: error))
        }
    }
}
