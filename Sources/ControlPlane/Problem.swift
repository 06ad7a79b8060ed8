import Base
import CallDispatch
package import HTTPTypes
package import Hummingbird
import NIOCore
import Postgres

/// An answer that is not what was asked for: an RFC 9457 document.
///
/// `code` is stable and for programs; `detail` is for people and never repeats the request's body.
package struct Problem: Error, Sendable {
    package static let mediaType = "application/problem+json"

    /// One thing wrong with a body: `path` like `nodes[2].edges[0].to`, empty for the whole.
    package struct Fieldwise: Hashable, Sendable {
        package var path: String
        package var message: String
        package init(path: String, message: String) {
            self.path = path
            self.message = message
        }
    }

    package var status: HTTPResponse.Status
    package var code: String
    package var detail: String
    package var errors: [Fieldwise] = []
    package var headers = HTTPFields()
    /// Nothing more of the request is read: its connection is closed.
    package var closesConnection = false

    package init(_ status: HTTPResponse.Status, _ code: String, _ detail: String) {
        self.status = status
        self.code = code
        self.detail = detail
    }

    package static func notFound(_ thing: String) -> Problem {
        Problem(.notFound, "not_found", "there is no such \(thing)")
    }
    package static func invalid(_ errors: [Fieldwise]) -> Problem {
        var problem = Problem(.unprocessableContent, "validation_failed", "some fields are not valid")
        problem.errors = errors
        return problem
    }
    package static func invalid(_ path: String, _ message: String) -> Problem {
        invalid([Fieldwise(path: path, message: message)])
    }

    package func response(requestID: String) -> Response {
        var members: [String: JSON] = [
            "type": .string("https://parley.dev/problems/\(code)"),
            "title": .string(status.reasonPhrase), "status": .int(Int64(status.code)), "code": .string(code),
            "detail": .string(detail), "request_id": .string(requestID),
        ]
        if !errors.isEmpty {
            members["errors"] = .array(
                errors.map { ["path": .string($0.path), "message": .string($0.message)] })
        }
        var response = Answer.json(.object(members), status: status)
        response.headers[.contentType] = Self.mediaType
        response.headers.append(contentsOf: headers)
        return response
    }
}

extension Problem {
    /// What any thrown error looks like from outside. The one table of refusals.
    package init(_ error: any Error) {
        switch error {
        case let problem as Problem: self = problem
        case let refusal as Refusal: self = Self.table(refusal)
        case let fault as Fault: self = Self.away(fault)
        case let error as PostgresError: self = Self.database(error)
        case let error as HTTPError:
            self = Problem(error.status, "http_error", error.body ?? error.status.reasonPhrase)
        default: self = Problem(.internalServerError, "internal_error", "something went wrong on our side")
        }
    }

    /// Refusal code → HTTP status; unlisted codes are 422.
    private static let statuses: [String: HTTPResponse.Status] = [
        "idempotency_in_flight": .conflict, "call_not_over": .conflict, "not_found": .notFound,
        "forbidden": .forbidden,
        "conflict": .conflict,
        "no_funds": .init(code: 402), "insufficient_funds": .init(code: 402),
        "concurrency_limit": .tooManyRequests, "unauthorized": .unauthorized, "already_ended": .conflict,
    ]

    private static func table(_ refusal: Refusal) -> Problem {
        var problem = Problem(
            statuses[refusal.code] ?? .unprocessableContent, refusal.code, refusal.message)
        problem.errors = refusal.fields.map { Fieldwise(path: $0.path, message: $0.message) }
        if refusal.code == "idempotency_in_flight" { problem.headers[.retryAfter] = "1" }
        return problem
    }

    private static func away(_ fault: Fault) -> Problem {
        guard case .never = fault.retry else {
            var problem = Problem(
                .serviceUnavailable, "unavailable", "a part of the platform is away: try again")
            problem.headers[.retryAfter] = "1"
            return problem
        }
        return Problem(.internalServerError, "internal_error", "something went wrong on our side")
    }

    private static func database(_ error: PostgresError) -> Problem {
        switch error.sqlState {
        case "23505": return Problem(.conflict, "already_exists", "this already exists")
        case "23503":
            return Problem(.conflict, "in_use", "this is used by, or uses, something that is not there")
        case "22P05", "22021", "22P02", "22003", "23514":
            return Problem(.unprocessableContent, "validation_failed", "a value is out of its range")
        // Connection lost, server shutting down, too many connections, statement time-out, lock not available.
        case let state
        where state.hasPrefix("08") || state.hasPrefix("57") || state.hasPrefix("53") || state == "55P03":
            var problem = Problem(
                .serviceUnavailable, "unavailable", "the database is away or busy: try again")
            problem.headers[.retryAfter] = "1"
            return problem
        default: return Problem(.internalServerError, "internal_error", "something went wrong on our side")
        }
    }
}
