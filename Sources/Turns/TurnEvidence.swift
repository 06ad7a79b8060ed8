import Base
import Glibc

/// Why a turn ended when it did: what was weighed, and the wait it came to.
package struct TurnEvidence: Hashable, Sendable {
    /// What the wait hangs on most.
    package enum Term: String, Hashable, Sendable, Codable {
        /// Nothing speaks for a longer or shorter wait than usual.
        case silence
        /// How finished the words sound.
        case words
        /// The recogniser's own guess.
        case recogniser
        /// This caller's pauses.
        case pauses
        /// The asked-for answer is whole; may go on; is not whole yet.
        case whole, enough, owed
        /// Final words were awaited.
        case finalDue = "final_due"
        case keys
        /// The caller spoke for too long without a pause.
        case endless
    }

    package var term: Term
    /// Silence from the last sound (or key) after which the turn is over.
    package var waitMs: Int
    /// How finished the words sound, 0...1.
    package var finished = 0.5
    /// The recogniser's guess that the caller is done, 0...1.
    package var recogniser: Double?
    /// See `CallerPauses.typicalMs`.
    package var pausesMs: Int?

    init(_ term: Term, waitMs: Int) {
        self.term = term
        self.waitMs = waitMs
    }
}

/// Silence in milliseconds, counted from the last sound of speech, that ends a turn: a smooth function of evidence.
///
/// Open speech: `openMs · pauses · spread^(1 − 2p)`, where p joins how finished the words sound with the
/// recogniser's guess (their odds are multiplied). Even evidence waits `openMs`. An answer to a question waits by how
/// much of it is there.
struct Waits: Hashable, Sendable {
    private let policy: Endpointing.Policy

    init(_ policy: Endpointing.Policy) { self.policy = policy }

    func weigh(
        _ asked: Expectation, _ fullness: Fullness, finished: Double, recogniser: Double?,
        _ pauses: CallerPauses, gapMs: Int
    ) -> TurnEvidence {
        var evidence: TurnEvidence
        let finished = 0.5 + (finished - 0.5) * policy.wordsTrust
        switch fullness {
        case .none:
            evidence = open(
                asked.isDictated ? max(policy.openMs, policy.unansweredMs) : policy.openMs, finished,
                recogniser,
                pauses)
        case .part:
            evidence = TurnEvidence(.owed, waitMs: asked == .address ? policy.addressMs : policy.dictatedMs)
        case .enough where asked == .open: evidence = open(policy.openMs, finished, recogniser, pauses)
        case .enough:
            let ms = enoughMs(asked, gapMs)
            evidence = TurnEvidence(
                .enough, waitMs: scaled(ms, by: pauses.factor * hesitation(asked, finished)))
        case .full:
            let ms = asked.isDictated ? policy.fullMs : policy.matchedMs
            evidence = TurnEvidence(.whole, waitMs: scaled(ms, by: hesitation(asked, finished)))
        }
        evidence.finished = finished
        evidence.recogniser = recogniser
        evidence.pausesMs = pauses.typicalMs
        return evidence
    }

    private func open(
        _ ms: Int, _ finished: Double, _ recogniser: Double?, _ pauses: CallerPauses
    ) -> TurnEvidence {
        let words = Self.logOdds(finished)
        let guess = recogniser.map(Self.logOdds) ?? 0
        let likely = 1 / (1 + exp(-(words + guess)))
        let spread = log(policy.spread) * (1 - 2 * likely)
        let pace = log(pauses.factor)
        let waitMs = min(max(scaled(ms, by: exp(spread + pace)), policy.leastMs), policy.mostMs)
        let term: TurnEvidence.Term =
            if max(abs(spread), abs(pace)) < Self.noticeable {
                .silence
            } else if abs(pace) > abs(spread) {
                .pauses
            } else {
                abs(guess) > abs(words) ? .recogniser : .words
            }
        return TurnEvidence(term, waitMs: waitMs)
    }

    /// A change of the wait by less than this share is not worth naming.
    private static let noticeable = 0.05

    /// Words that break off after an answer ("yes and") make it wait; words that sound finished do not hurry it.
    private func hesitation(_ asked: Expectation, _ finished: Double) -> Double {
        asked.isDictated ? 1 : exp(log(policy.spread) * max(0, 1 - 2 * finished))
    }

    private func enoughMs(_ asked: Expectation, _ gapMs: Int) -> Int {
        switch asked {
        case .digits, .phone: max(policy.enoughMs, min(scaled(gapMs, by: policy.gapShare), policy.dictatedMs))
        case .spelling: policy.spelledMs
        case .address: policy.addressMs
        case .email, .amount: policy.amountMs
        case .date: policy.dateMs
        case .open, .yesNo, .choice, .name: policy.openMs
        }
    }

    private func scaled(_ ms: Int, by factor: Double) -> Int { Int((Double(ms) * factor).rounded()) }

    /// No single witness is believed beyond 1 in 50.
    private static func logOdds(_ probability: Double) -> Double {
        let p = min(max(probability.isNaN ? 0.5 : probability, 0.02), 0.98)
        return log(p / (1 - p))
    }
}
