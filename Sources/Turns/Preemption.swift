import Base

/// May the reply be begun before the turn is over? Pure.
///
/// Owns: when a guess at the whole of a turn is worth a request, how many guesses one turn may cost, and whether the
/// turn turned out as guessed. Does not own: the reply to a guess (Reply), its first sound (Playout).
package struct Preemption: Sendable {
    package struct Policy: Hashable, Sendable {
        /// Guesses that one turn may cost; 0: replies begin when the turn is over. 0...5.
        package var guessesMax = 2
        /// What a reply takes at most before it can be heard, milliseconds: a turn that will be over later than that is
        /// not guessed at yet, so that most pauses for thought cost nothing. 0...3000.
        package var leadMs = 600
        package init() {}
    }

    var policy: Policy
    /// The words that are taken for the whole turn; nil: none are.
    private(set) var guess: String?
    /// The turn is over and was as guessed: the reply to the guess is the reply.
    private(set) var isRight = false
    private var made = 0
    /// A guess was made, and the turn is not over.
    var isOpen: Bool { guess != nil && !isRight }

    init(policy: Policy) { self.policy = policy }

    /// When to guess, `endsAt` being when the turn is over if nothing more is said; nil: not at all.
    func deadline(endsAt: CallTime?) -> CallTime? {
        guard guess == nil, made < policy.guessesMax, let endsAt else { return nil }
        return endsAt + .milliseconds(-policy.leadMs)
    }

    mutating func begin(_ text: String) {
        guess = text
        isRight = false
        made += 1
    }

    /// True when `text` is something else than was guessed.
    func isWrong(about text: String) -> Bool {
        guard let guess, guess != text else { return false }
        return Self.meaning(of: guess) != Self.meaning(of: text)
    }

    /// The turn is over; `isRight` tells whether it was as guessed.
    mutating func endTurn(_ text: String) {
        isRight = guess != nil && !isWrong(about: text)
    }

    /// What is said from now on is another turn.
    mutating func stand() { made = 0 }

    /// What was guessed is of no more use.
    mutating func forget() {
        guess = nil
        isRight = false
    }

    /// The same words in other clothes are the same turn: case, punctuation and hesitation do not count.
    private static func meaning(of text: String) -> [String] {
        Words.split(text).filter { !hesitations.contains($0) }
    }

    private static let hesitations: Set<String> = ["um", "uh", "er", "erm", "hmm", "mm", "äh", "ähm", "euh"]
}
