/// Words and circumstances of a call as numbers that mean nothing by themselves: what a tenant's own calls are told apart
/// by. Nothing is shipped that gives them a weight.
package struct DialogueTerms: Sendable, Hashable {
    /// Words that are looked at, of the user's turn, the agent's last and a tool's result each.
    static let wordsMax = 60
    /// Larger counts are all one.
    static let turnsMax = 6
    static let callsMax = 5
    static let sinceMax = 4
    static let lengthMax = 12

    /// Where in the dialogue: weighed for all agents together and for each.
    private(set) var places: [UInt32] = []
    /// What was said.
    private(set) var words: [UInt32] = []

    package init() {}

    /// As given, for tests.
    package init(places: [String], words: [String]) {
        self.places = places.map { WordHash.of($0) }
        self.words = words.map { WordHash.of($0) }
    }

    /// Keeps terms of different kinds apart.
    private enum Kind: UInt32 {
        case always = 1, tool, lately, calls, turn, asks, sentence
        case user, userPair, agent, agentPair, answer, sentenceAfterTool, reply, replyAfterTool, length,
            userAfterTool
        case call, chain, result, entries
    }

    init(_ dialogue: RoutedDialogue) {
        let after = dialogue.followsTool
        let tool = dialogue.lastToolName
        let since = UInt32(min(dialogue.turnsSinceTool, Self.sinceMax))
        let calls = UInt32(min(dialogue.toolCalls, Self.callsMax))
        let asks: UInt32 = dialogue.agent.questionMarks > 0 ? 1 : 0
        let last = dialogue.agent.words[min(dialogue.agent.lastSentence, dialogue.agent.words.count)...]
            .prefix(3)
        let sentence = last.reduce(0) { WordHash.of($0, $1) }
        let base: UInt32 = after ? 1 : 0
        func place(_ kind: Kind, _ parts: UInt32...) {
            places.append(parts.reduce(WordHash.of(kind.rawValue, base)) { WordHash.of($0, $1) })
        }
        place(.always)
        place(.tool, tool, since)
        place(.lately, dialogue.lately)
        place(.calls, calls, since)
        place(.turn, UInt32(min(dialogue.turns, Self.turnsMax)))
        place(.asks, asks, since)
        place(.sentence, sentence)
        if after {
            addResult(dialogue, tool)
        } else {
            addReply(dialogue, tool, since, asks, sentence)
        }
    }

    private mutating func add(_ kind: Kind, _ parts: UInt32...) {
        words.append(parts.reduce(WordHash.of(kind.rawValue)) { WordHash.of($0, $1) })
    }

    private mutating func addPairs(_ kind: Kind, _ said: ArraySlice<UInt32>) {
        var before: UInt32 = 0
        for word in said {
            add(kind, before, word)
            before = word
        }
        add(kind, before, 0)
    }

    private mutating func addReply(
        _ dialogue: RoutedDialogue, _ tool: UInt32, _ since: UInt32, _ asks: UInt32, _ sentence: UInt32
    ) {
        let user = dialogue.user.words.prefix(Self.wordsMax)
        let agent = dialogue.agent.words.prefix(Self.wordsMax)
        let reply = user.prefix(2).reduce(0) { WordHash.of($0, $1) }
        for word in user {
            add(.user, word)
            add(.userAfterTool, tool, min(since, 2), word)
        }
        for word in agent { add(.agent, word) }
        addPairs(.userPair, user)
        addPairs(.agentPair, agent)
        add(.answer, sentence, reply)
        add(.sentenceAfterTool, sentence, tool, since)
        add(.reply, reply)
        add(.replyAfterTool, reply, tool, since)
        add(.length, UInt32(min(user.count, Self.lengthMax)), asks)
    }

    private mutating func addResult(_ dialogue: RoutedDialogue, _ tool: UInt32) {
        let result = dialogue.result
        let user = dialogue.user.words.prefix(Self.wordsMax)
        add(.call, tool, UInt32(min(dialogue.callsThisTurn, Self.callsMax)))
        add(.chain, UInt32(min(dialogue.toolCalls, Self.lengthMax)))
        add(.entries, tool, UInt32(min(result.entries, 3)), result.isList ? 1 : 0, result.isEmpty ? 1 : 0)
        for word in user { add(.userAfterTool, tool, word) }
        for word in result.words.words.prefix(Self.wordsMax) { add(.result, word) }
    }
}
