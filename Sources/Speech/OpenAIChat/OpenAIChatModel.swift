import Base
package import NIOCore

/// A chat model behind any OpenAI-compatible endpoint, streamed over server-sent events.
///
/// Source: `POST {base}/chat/completions`, OpenAI's API reference; the base ends in `/v1`.
package struct OpenAIChatModel: LanguageModel {
    let endpoint: ModelEndpoint

    package init(_ endpoint: ModelEndpoint) { self.endpoint = endpoint }

    package func reply(
        to request: ChatRequest, on loop: any EventLoop, events: @escaping @Sendable (ChatEvent) -> Void
    ) -> any ChatStream {
        let key = endpoint.key.reveal
        let dialect = OpenAIDialect(baseURL: endpoint.baseURL)
        return endpoint.stream(
            request, to: "chat/completions",
            headers: key.isEmpty ? [] : [("Authorization", "Bearer \(key)")],
            body: { ChatWire.body(request, dialect, without: $0) },
            into: ChatAssembly(request), on: (loop, events))
    }

    package func prepare(on loop: any EventLoop) { endpoint.warm("models") }
}
