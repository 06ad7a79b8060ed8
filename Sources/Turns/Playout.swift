import Base

/// What was actually heard? Pure.
///
/// Owns: the queue of utterances, how much of each was made and heard, the words that reached the caller.
/// Lengths are milliseconds as the runner tells them; a vendor that stalls is given up after the limits
/// here.
package struct Playout: Sendable {
    /// First audio of an utterance at the head of the queue must come within this.
    package static let synthesisLimitMs = 8000
    /// Without any news for this long beyond the audio that is there, the utterance is over.
    package static let stallMs = 5000
    /// Utterances waiting; more are refused.
    package static let queueMax = 64
    /// Fewer of the agent's own words may be the caller's: an answer often repeats them.
    private static let echoWordsMin = 4
    /// Length of a text whose audio is not yet whole: unhurried English.
    private static let msPerCharacter = 65
    private static let lengthMaxMs = 3_600_000

    struct Utterance: Hashable {
        var id: Int
        var text: String
        var isInterruptible: Bool
        var madeMs = 0
        var isWhole = false
        var heardMs = 0
        /// Last news of it, or since when it is at the head.
        var newsAt: CallTime
    }

    struct Prepared: Hashable {
        var utterance: Utterance
        /// When its first sound was there.
        var madeAt: CallTime?
    }

    /// The agent's hold of the floor, from its first sound to its last.
    struct Turn: Hashable {
        var text: String
        var startedAt: CallTime
        var endedAt: CallTime
    }

    private var queue: [Utterance] = []
    /// Made ahead, in case it is spoken next.
    private var prepared: Prepared?
    private var said: [String] = []
    private var startedAt: CallTime?
    private var endedAt = CallTime.zero
    private(set) var isPaused = false
    var isDucked = false

    var isBusy: Bool { !queue.isEmpty }
    /// One line that must be heard protects all that is queued with it.
    var isInterruptible: Bool { queue.allSatisfy(\.isInterruptible) }
    var isFull: Bool { queue.count >= Self.queueMax }
    /// Something of this turn has been heard.
    var hasBeenHeard: Bool { startedAt != nil }
    /// The caller has heard a whole word of this turn.
    var hasHeardWords: Bool {
        said.contains { !$0.isEmpty } || (queue.first.map { !Self.heardText(of: $0).isEmpty } ?? false)
    }

    mutating func enqueue(_ id: Int, _ text: String, isInterruptible: Bool, at now: CallTime) {
        queue.append(Utterance(id: id, text: text, isInterruptible: isInterruptible, newsAt: now))
    }

    mutating func prepare(_ id: Int, _ text: String, at now: CallTime) {
        prepared = Prepared(utterance: Utterance(id: id, text: text, isInterruptible: true, newsAt: now))
    }

    func isPrepared(_ id: Int) -> Bool { prepared?.utterance.id == id }
    var preparedText: String? { prepared?.utterance.text }

    /// What was prepared is spoken.
    mutating func enqueuePrepared(isInterruptible: Bool, at now: CallTime) -> Prepared? {
        guard let made = prepared else { return nil }
        prepared = nil
        var utterance = made.utterance
        utterance.isInterruptible = isInterruptible
        utterance.newsAt = now
        queue.append(utterance)
        return made
    }

    /// The number of what was prepared and is not wanted.
    mutating func dropPrepared() -> Int? {
        defer { prepared = nil }
        return prepared?.utterance.id
    }

    mutating func synthesised(_ id: Int, ms: Int, isLast: Bool, at now: CallTime) -> Bool {
        if var made = prepared, made.utterance.id == id {
            Self.add(ms, isLast, to: &made.utterance, at: now)
            if ms > 0, made.madeAt == nil { made.madeAt = now }
            prepared = made
            return false
        }
        guard let index = queue.firstIndex(where: { $0.id == id }) else { return false }
        Self.add(ms, isLast, to: &queue[index], at: now)
        return true
    }

    private static func add(_ ms: Int, _ isLast: Bool, to utterance: inout Utterance, at now: CallTime) {
        utterance.madeMs = max(utterance.madeMs, clamped(ms))
        utterance.isWhole = utterance.isWhole || isLast
        utterance.newsAt = now
    }

    /// False for an utterance that is not waited for.
    mutating func heard(_ id: Int, ms: Int, isFinished: Bool, at now: CallTime) -> Bool {
        guard let index = queue.firstIndex(where: { $0.id == id }) else { return false }
        let ms = Self.clamped(ms)
        if startedAt == nil, ms > 0 || isFinished {
            startedAt = CallTime(nanoseconds: max(0, now.nanoseconds - Int64(ms) * 1_000_000))
        }
        queue[index].heardMs = max(queue[index].heardMs, ms)
        queue[index].newsAt = now
        // Playout is in order: what is heard of a later one tells that the earlier are over.
        for _ in 0..<index { finishHead(at: now) }
        if isFinished { finishHead(at: now) }
        return true
    }

    /// The utterance is dropped; what was heard of it counts. nil when it is not waited for.
    mutating func drop(_ id: Int, at now: CallTime) -> Utterance? {
        guard let index = queue.firstIndex(where: { $0.id == id }) else { return nil }
        let dropped = queue.remove(at: index)
        if dropped.heardMs > 0 { said.append(Self.heardText(of: dropped)) }
        endedAt = now
        if index == 0, !queue.isEmpty { queue[0].newsAt = now }
        return dropped
    }

    /// Milliseconds still to be heard of what is queued; nil while not all of it is made.
    func leftMs(at now: CallTime) -> Int? {
        guard let head = queue.first, queue.allSatisfy(\.isWhole) else { return nil }
        let left = queue.reduce(0) { $0 + $1.madeMs - $1.heardMs }
        let sinceNews = head.heardMs > 0 && !isPaused ? (now - head.newsAt).milliseconds : 0
        return max(0, left - Int(sinceNews))
    }

    /// The last sentence of what is queued is being heard, or nothing is: who answers now has been asked.
    var isAtLastSentence: Bool {
        guard let last = queue.last else { return true }
        return queue.count == 1 && Self.heardCharacters(of: last) >= Self.lastSentence(of: last.text)
    }

    /// Words that the agent itself has just said or is saying, come back over the line.
    func isEcho(_ text: String) -> Bool {
        guard let head = queue.first, hasBeenHeard else { return false }
        let words = Words.split(text)
        guard words.count >= Self.echoWordsMin else { return false }
        let own = Words.split((said.suffix(1) + [head.text]).joined(separator: " "))
        guard own.count >= words.count else { return false }
        return (0...(own.count - words.count)).contains { own[$0...].starts(with: words) }
    }

    mutating func pause() { isPaused = true }

    mutating func resume(fromStart: Bool, at now: CallTime) {
        isPaused = false
        isDucked = false
        guard !queue.isEmpty else { return }
        queue[0].newsAt = now
        if fromStart { queue[0].heardMs = 0 }
    }

    /// Drops everything unheard. Gives the words that were heard since the turn began.
    mutating func clear(at now: CallTime) -> String {
        if let head = queue.first, head.heardMs > 0 { said.append(Self.heardText(of: head)) }
        queue.removeAll()
        isPaused = false
        isDucked = false
        endedAt = now
        return said.filter { !$0.isEmpty }.joined(separator: " ")
    }

    /// The finished turn; nil when nothing of it was heard.
    mutating func takeTurn() -> Turn? {
        defer {
            said.removeAll()
            startedAt = nil
        }
        guard let startedAt else { return nil }
        let text = said.filter { !$0.isEmpty }.joined(separator: " ")
        return Turn(text: text, startedAt: min(startedAt, endedAt), endedAt: endedAt)
    }

    /// When the head of the queue has stalled.
    var deadline: CallTime? {
        guard let head = queue.first, !isPaused else { return nil }
        if head.madeMs == 0, !head.isWhole { return head.newsAt + .milliseconds(Self.synthesisLimitMs) }
        return head.newsAt + .milliseconds(max(0, head.madeMs - head.heardMs) + Self.stallMs)
    }

    enum Stall: Hashable {
        /// All of it exists: it is taken as heard.
        case unreported
        /// Its audio does not come.
        case unspoken(Int)
    }

    /// Called at `deadline` or later.
    mutating func handleDeadline(at now: CallTime) -> Stall? {
        guard let deadline, deadline <= now, let head = queue.first else { return nil }
        if head.isWhole {
            finishHead(at: now)
            return .unreported
        }
        _ = drop(head.id, at: now)
        return .unspoken(head.id)
    }

    private mutating func finishHead(at now: CallTime) {
        guard !queue.isEmpty else { return }
        said.append(queue.removeFirst().text)
        endedAt = now
        if startedAt == nil { startedAt = now }
        if !queue.isEmpty { queue[0].newsAt = now }
    }

    /// By the share of the time that was heard.
    private static func heardCharacters(of utterance: Utterance) -> Int {
        let count = utterance.text.count
        let wholeMs = utterance.isWhole ? utterance.madeMs : max(utterance.madeMs, count * msPerCharacter)
        return wholeMs > utterance.heardMs ? count * utterance.heardMs / wholeMs : count
    }

    /// Characters before the last sentence of `text`.
    private static func lastSentence(of text: String) -> Int {
        var start = 0
        var isEnd = false
        for (index, character) in text.enumerated() {
            if isEnd, character == " " { start = index }
            isEnd = ".?!".contains(character)
        }
        return start
    }

    /// Whole words of what was heard.
    private static func heardText(of utterance: Utterance) -> String {
        let cut = heardCharacters(of: utterance)
        guard cut < utterance.text.count else { return utterance.text }
        var heard = ""
        var length = 0
        for word in utterance.text.split(separator: " ") {
            length += word.count
            guard length <= cut else { break }
            heard += heard.isEmpty ? String(word) : " " + word
            length += 1
        }
        return heard
    }

    private static func clamped(_ ms: Int) -> Int { min(max(0, ms), lengthMaxMs) }
}
