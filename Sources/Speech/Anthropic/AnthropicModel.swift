import Base
package import NIOCore

/// A model behind Anthropic's Messages API, streamed over server-sent events.
///
/// The beginning of a conversation (tools, system text, all but what is new) is marked for the vendor's cache. A
/// request's `temperature` is not sent: current models refuse it.
/// Source: `POST {base}/v1/messages`, Anthropic's API reference, version 2023-06-01.
package struct AnthropicModel: LanguageModel {
    static let version = "2023-06-01"

    let endpoint: ModelEndpoint

    package init(_ endpoint: ModelEndpoint) { self.endpoint = endpoint }

    package func reply(
        to request: ChatRequest, on loop: any EventLoop, events: @escaping @Sendable (ChatEvent) -> Void
    ) -> any ChatStream {
        let key = endpoint.key.reveal
        return endpoint.stream(
            request, to: "v1/messages",
            headers: [("anthropic-version", Self.version)] + (key.isEmpty ? [] : [("x-api-key", key)]),
            body: { MessagesWire.body(request, without: $0) }, into: MessagesAssembly(request),
            on: (loop, events))
    }

    package func prepare(on loop: any EventLoop) { endpoint.warm("v1/models") }
}
