package import Base
package import HTTPTypes
package import Hummingbird
import NIOCore

/// Bodies that go out.
package enum Answer {
    package static func json(_ json: JSON, status: HTTPResponse.Status = .ok) -> Response {
        text(json.text, type: "application/json", status: status)
    }

    package static func text(_ text: String, type: String, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: type],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    package static func noContent() -> Response { Response(status: .noContent) }

    /// `{"data": […], "next_cursor": …}`
    package static func list(_ data: [JSON], nextCursor: String?) -> Response {
        json(["data": .array(data), "next_cursor": nextCursor.map { .string($0) } ?? .null])
    }
}

extension JSON {
    package static func id<Of: Entity>(_ id: ID<Of>) -> JSON { .string(id.description) }
    package static func maybe<Of: Entity>(_ id: ID<Of>?) -> JSON {
        id.map { .string($0.description) } ?? .null
    }
    package static func maybe(_ text: String?) -> JSON { text.map { .string($0) } ?? .null }
    package static func maybe(_ number: Int?) -> JSON { number.map { .int(Int64($0)) } ?? .null }
    package static func time(_ time: Timestamp?) -> JSON { time.map { .string($0.rfc3339) } ?? .null }
    package static func number(_ value: Int) -> JSON { .int(Int64(value)) }
    package static func strings(_ values: [String]) -> JSON { .array(values.map(JSON.string)) }
}
