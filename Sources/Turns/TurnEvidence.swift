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
        /// How the voice fell.
        case voice
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
    /// How final the voice sounded at its end, 0...1; nil where nobody told.
    package var finality: Double?
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
/// Open speech: `openMs · pauses · ((1 − p) / p)^steepness`, where p joins how finished the words sound, how the voice
/// fell and the recogniser's guess (their odds are multiplied). Even evidence waits `openMs`. An answer to a question
/// waits by how much of it is there.
struct Waits: Hashable, Sendable {
    private let policy: Endpointing.Policy

    init(_ policy: Endpointing.Policy) { self.policy = policy }

    func weigh(
        _ asked: Expectation, _ fullness: Fullness, finished: Double, finality: Double?, recogniser: Double?,
        _ pauses: CallerPauses, gapMs: Int
    ) -> TurnEvidence {
        var evidence: TurnEvidence
        let finished = 0.5 + (finished - 0.5) * policy.wordsTrust
        let odds = Odds(
            words: words(finished), voice: asked.isDictated ? 0 : voice(finality),
            recogniser: recogniser.map(Self.logOdds) ?? 0)
        switch fullness {
        case .none:
            evidence = open(
                asked.isDictated ? max(policy.openMs, policy.unansweredMs) : policy.openMs, odds, pauses)
        case .part:
            evidence = TurnEvidence(.owed, waitMs: asked == .address ? policy.addressMs : policy.dictatedMs)
        case .enough where asked == .open: evidence = open(policy.openMs, odds, pauses)
        case .enough:
            let ms = enoughMs(asked, gapMs)
            evidence = TurnEvidence(
                .enough, waitMs: scaled(ms, by: pauses.factor * hesitation(asked, finished)))
        case .full:
            let ms = asked.isDictated ? policy.fullMs : policy.matchedMs
            evidence = TurnEvidence(.whole, waitMs: scaled(ms, by: hesitation(asked, finished)))
        }
        evidence.finished = finished
        evidence.finality = finality
        evidence.recogniser = recogniser
        evidence.pausesMs = pauses.typicalMs
        return evidence
    }

    /// What each witness says, as log-odds of an end.
    private struct Odds {
        var words: Double
        var voice: Double
        var recogniser: Double
        var sum: Double { words + voice + recogniser }

        /// The witness that says most for what they say together.
        var loudest: TurnEvidence.Term {
            let sign = sum < 0 ? -1.0 : 1
            let (words, voice, recogniser) = (words * sign, voice * sign, recogniser * sign)
            if recogniser > max(words, voice) { return .recogniser }
            return voice > words ? .voice : .words
        }
    }

    private func words(_ finished: Double) -> Double {
        let odds = Self.logOdds(finished)
        return odds > 0 ? odds * policy.finishedShare : odds
    }

    private func voice(_ finality: Double?) -> Double {
        finality.map { Self.logOdds($0) * policy.voiceTrust } ?? 0
    }

    private func open(_ ms: Int, _ odds: Odds, _ pauses: CallerPauses) -> TurnEvidence {
        let spread = -policy.steepness * odds.sum
        let pace = log(pauses.factor)
        let waitMs = min(max(scaled(ms, by: exp(spread + pace)), policy.leastMs), policy.mostMs)
        let term: TurnEvidence.Term =
            if max(abs(spread), abs(pace)) < Self.noticeable {
                .silence
            } else {
                abs(pace) > abs(spread) ? .pauses : odds.loudest
            }
        return TurnEvidence(term, waitMs: waitMs)
    }

    /// A change of the wait by less than this share is not worth naming.
    private static let noticeable = 0.05

    /// Words that break off after an answer ("yes and") make it wait; words that sound finished do not hurry it.
    private func hesitation(_ asked: Expectation, _ finished: Double) -> Double {
        guard !asked.isDictated else { return 1 }
        return min(exp(policy.steepness * max(0, -Self.logOdds(finished))), policy.hesitationMost)
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
