import Agents
import Base
import Conversation
import NIOCore
import Routing
import Speech

/// The model's replies under way. On the call's loop only.
final class Mind: @unchecked Sendable {
    /// Replies at once: the current one and a cancelled one that has not noticed.
    static let repliesMax = 4

    /// What is not for the conversation.
    enum Report {
        /// How a reply was routed, once it is over.
        case route(RouteFact)
        /// nil: nobody was left.
        case fellBack(to: ModelChoice?, Fault)
    }

    private let model: (any LanguageModel)?
    private let loop: any EventLoop
    private let tell: (Dialogue.Input) -> Void
    private let report: (Report) -> Void
    private var requests = ChatRequests()
    private var streams: [Dialogue.ReplyID: any ChatStream] = [:]
    /// The model that began to speak last.
    private(set) var speaker: ModelChoice?

    init(
        _ model: (any LanguageModel)?, on loop: any EventLoop, tell: @escaping (Dialogue.Input) -> Void,
        report: @escaping (Report) -> Void
    ) {
        self.model = model
        self.loop = loop
        self.tell = tell
        self.report = report
    }

    func start(_ id: Dialogue.ReplyID, _ request: Dialogue.ModelRequest) {
        guard let model else { return tell(.replyFailed(id, code: "llm.not_configured")) }
        guard streams.count < Self.repliesMax else {
            return tell(.replyFailed(id, code: "llm.too_many_replies"))
        }
        let isOver = Flag()
        let stream = model.reply(to: requests.next(request), on: loop) { [weak self] event in
            if self?.received(event, of: id) ?? true { isOver.isSet = true }
        }
        if !isOver.isSet { streams[id] = stream }
    }

    /// `line` was said in place of a reply.
    func spare(_ request: Dialogue.ModelRequest, line: String) {
        if let route = model?.spare(requests.next(request), line: line, on: loop) { report(.route(route)) }
    }

    /// What it has cost until now is told all the same.
    func cancel(_ id: Dialogue.ReplyID) {
        guard let stream = streams.removeValue(forKey: id) else { return }
        stream.cancel()
        if let route = stream.route { report(.route(route)) }
        let usage = stream.usageSoFar
        if !usage.isEmpty { tell(.replyFinished(id, usage)) }
    }

    func close() { for id in streams.keys.sorted(by: { $0.number < $1.number }) { cancel(id) } }

    /// True when nothing follows.
    private func received(_ event: ChatEvent, of id: Dialogue.ReplyID) -> Bool {
        switch event {
        case .began: speaker = streams[id]?.speaker
        case .text(let text): tell(.replyText(id, text))
        case .toolCall(let call):
            tell(.replyToolCall(id, id: call.id, name: call.name, arguments: call.arguments))
        case .fellBack(let next, let fault):
            speaker = next ?? speaker
            report(.fellBack(to: next, fault))
        case .finished(let usage):
            if let route = streams.removeValue(forKey: id)?.route { report(.route(route)) }
            tell(.replyFinished(id, usage))
            return true
        case .failed(let fault):
            let stream = streams.removeValue(forKey: id)
            let usage = stream?.usageSoFar ?? []
            if let route = stream?.route { report(.route(route)) }
            tell(.replyFailed(id, code: fault.code))
            // What it cost is told all the same.
            if !usage.isEmpty { tell(.replyFinished(id, usage)) }
            return true
        }
        return false
    }
}
