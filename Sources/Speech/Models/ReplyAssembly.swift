import Base

/// Puts one vendor's streamed reply together: text as it comes, tool calls once the whole reply is there.
protocol ReplyAssembly: SendableMetatype {
    /// The data of one event of the stream, as the vendor sent it.
    mutating func add(_ data: [UInt8]) -> [ReplyPart]
    /// The vendor has said that the reply is whole; what follows does not matter.
    var isFinished: Bool { get }
    /// Bytes of text and of tool arguments so far: how one sees that a reply comes on.
    var bytesOut: Int { get }
    /// Text or a tool call has begun.
    var hasBegun: Bool { get }
    /// A tool call has begun.
    var hasCalls: Bool { get }
    /// What the vendor told of the prompt; nil while it has not.
    var toldPrompt: PromptEstimate.Told? { get }
    /// What the reply cost so far: as the vendor told, else estimated from the letters.
    func usage(source: String, estimating prompt: PromptEstimate) -> [Usage]
    /// The vendor's word for what an error response says; nil when its body does not tell.
    static func problem(_ body: [UInt8]) -> String?
}

enum ReplyPart: Equatable {
    case text(String)
    case toolCall(ChatToolCall)
    case failed(Fault)
    /// Nothing follows.
    case end
}

/// The tool calls of one reply, assembled from fragments that may be mixed.
struct ToolCallAssembly {
    /// A reply has a few tool calls; a server that never stops is cut.
    static let callsMax = 32

    private struct Slot {
        var index: Int
        var call: ChatToolCall
    }
    private var slots: [Slot] = []
    private let offered: Set<String>

    /// `offered`: the names of the request's tools.
    init(offered: Set<String>) { self.offered = offered }

    var isEmpty: Bool { slots.isEmpty }

    /// A fragment of the call at `index`; without one it goes on with the last. False: there are too many.
    ///
    /// A new call begins with a new index, or with a name where the call at that index has one: some servers send
    /// every call as index 0, whole. Continuing fragments may repeat the id or leave it empty.
    mutating func add(index: Int?, id: String?, name: String?, arguments: String?) -> Bool {
        let index = index ?? slots.last?.index ?? 0
        let name = name ?? ""
        var place = slots.lastIndex { $0.index == index }
        if let known = place, !name.isEmpty, !slots[known].call.name.isEmpty { place = nil }
        if place == nil {
            guard slots.count < Self.callsMax else { return false }
            let id = id.flatMap { $0.isEmpty ? nil : $0 } ?? "call_\(slots.count + 1)"
            slots.append(Slot(index: index, call: ChatToolCall(id: id, name: "", arguments: "")))
        }
        let slot = place ?? slots.count - 1
        slots[slot].call.name += name
        slots[slot].call.arguments += arguments ?? ""
        return true
    }

    /// The whole calls in their order, or what is wrong with one of them.
    func finished() -> [ReplyPart] {
        var parts: [ReplyPart] = []
        for var call in slots.map(\.call) {
            if call.arguments.allSatisfy(\.isWhitespace) { call.arguments = "{}" }
            guard offered.contains(call.name) else { return [.failed(ModelFaults.unknownTool)] }
            guard JSON(parsing: call.arguments)?.object != nil else {
                return [.failed(ModelFaults.badToolCall)]
            }
            parts.append(.toolCall(call))
        }
        return parts
    }
}

extension JSON {
    /// Tokens as a vendor tells them, 0...`TokenPrice.tokensMax` whatever it says; nil for no whole number.
    var tokens: Int64? { int.map { max(0, min($0, TokenPrice.tokensMax)) } }
}
