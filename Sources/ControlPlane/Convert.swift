package import Base
import HTTPTypes
package import Hummingbird
import NIOCore

/// Reads what comes in. Every limit of a body is here.
package enum Convert {
    package static let bodyBytesMax = 1 << 20

    package struct Body: Sendable {
        package var bytes: [UInt8]
        package var json: JSON
        /// The body's members, to be read one by one and closed with `finish()`.
        package func fields() throws -> Fields { try Fields(json) }
    }

    /// A JSON body.
    /// - Throws: 415, 413 (without reading on), 400 `bad_json`.
    package static func body(_ request: Request, _ context: ControlRequest) async throws -> Body {
        let bytes = try await bytes(request, type: "application/json")
        do {
            return Body(bytes: bytes, json: try StrictJSON.parse(bytes))
        } catch {
            throw Problem(.badRequest, "bad_json", "\(error.message), at byte \(error.offset)")
        }
    }

    /// Like `body`, but nothing at all counts as `{}`.
    package static func bodyOrNothing(_ request: Request, _ context: ControlRequest) async throws -> Body {
        let isEmpty =
            request.headers[.contentLength].map { $0 == "0" } ?? (request.headers[.transferEncoding] == nil)
        if isEmpty { return Body(bytes: [], json: .object([:])) }
        return try await body(request, context)
    }

    /// The raw body of a stated media type, at most `limit` bytes.
    package static func bytes(
        _ request: Request, type: String, limit: Int = Convert.bodyBytesMax
    ) async throws -> [UInt8] {
        try checkType(request, type)
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limit {
            throw tooLarge(limit)
        }
        do {
            return Array(buffer: try await request.body.collect(upTo: limit))
        } catch is NIOTooManyBytesError {
            throw tooLarge(limit)
        }
    }

    private static func checkType(_ request: Request, _ type: String) throws {
        let given = request.headers[.contentType] ?? ""
        let main = given.split(separator: ";").first.map { $0.filter { $0 != " " }.lowercased() }
        guard main == type else {
            throw Problem(.unsupportedMediaType, "unsupported_media_type", "send the body as \(type)")
        }
        if let coding = request.headers[.contentEncoding], coding.lowercased() != "identity" {
            throw Problem(
                .unsupportedMediaType, "unsupported_encoding", "send the body without Content-Encoding")
        }
    }

    private static func tooLarge(_ limit: Int) -> Problem {
        var problem = Problem(.contentTooLarge, "body_too_large", "a body may have \(limit) bytes")
        problem.closesConnection = true
        return problem
    }

    /// Query parameters by name.
    /// - Throws: 400 `bad_query` for a name that is not in `allowed`, or one given twice.
    package static func query(_ request: Request, allowed: [String]) throws -> [String: String] {
        var found: [String: String] = [:]
        for (name, value) in request.uri.queryParameters {
            guard allowed.contains(String(name)) else {
                throw badQuery(
                    "unknown parameter \"\(name.prefix(64))\"; known: \(allowed.joined(separator: ", "))")
            }
            guard found.updateValue(String(value), forKey: String(name)) == nil else {
                throw badQuery("the parameter \(name) is there twice")
            }
        }
        return found
    }

    package static func badQuery(_ detail: String) -> Problem { Problem(.badRequest, "bad_query", detail) }
}
