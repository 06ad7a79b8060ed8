package import Base
package import HTTPClient
import Logging
import NIOCore

/// Where one call asks one vendor's models, and how long it waits for them.
package struct ModelEndpoint: Sendable {
    static let logger = Logger(label: "speech.models")

    /// Names the source in usage.
    let vendor: String
    /// Empty: none is sent.
    let key: Redacted<String>
    /// Without the path that the vendor's API adds; may end in slashes.
    let baseURL: String
    let http: HTTPClient
    let limits: ModelLimits
    let refused: RefusedMembers
    private let prompts = PromptsTold()

    /// `refused`: what the worker's requests have learned of servers.
    package init(
        vendor: String, key: Redacted<String>, baseURL: String, http: HTTPClient,
        limits: ModelLimits = ModelLimits(), refused: RefusedMembers = RefusedMembers()
    ) {
        self.vendor = vendor
        self.key = key
        self.baseURL = baseURL
        self.http = http
        self.limits = limits
        self.refused = refused
    }

    private func url(_ path: String) -> String {
        var base = baseURL[...]
        while base.last == "/" { base.removeLast() }
        return "\(base)/\(path)"
    }

    /// Posts what `body` writes, without the members that the server refuses, and streams the answer, called on `loop`.
    /// `headers`: beside those of every stream.
    func stream<Assembly: ReplyAssembly>(
        _ request: ChatRequest, to path: String, headers: [(String, String)],
        body: @escaping @Sendable (Set<RequestMember>) -> [UInt8],
        into assembly: Assembly, on stage: (loop: any EventLoop, events: @Sendable (ChatEvent) -> Void)
    ) -> any ChatStream {
        let url = url(path)
        let common = [("Content-Type", "application/json"), ("Accept", "text/event-stream")]
        let asking = ModelAsking(
            vendor: vendor, RefusedMembers.Key(baseURL: baseURL, model: request.model), kept: refused
        ) { [limits] refused in
            HTTPRequest(
                method: "POST", url: url, headers: common + headers, body: body(refused), limits: limits.http)
        }
        let stream = ModelStream(
            source: "\(vendor)/\(request.model)", assembly: assembly, maxTokens: request.maxTokens,
            prompts: prompts, limits: limits, loop: stage.loop, events: stage.events)
        stream.start(asking, over: http)
        return stream
    }

    /// Opens a connection ahead, so that the first request on it pays no handshake: asks for something small without a
    /// key. What is answered does not matter, as long as the connection stays.
    func warm(_ path: String) {
        let limits = HTTPLimits(connect: .seconds(2), total: .seconds(3), responseBytesMax: 1 << 16)
        _ = http.start(
            HTTPRequest(method: "GET", url: url(path), limits: limits), onHead: { _, _ in },
            onChunk: { _ in }, onEnd: { _ in })
    }
}
