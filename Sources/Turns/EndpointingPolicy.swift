extension Endpointing {
    /// Milliseconds of silence, counted from the last sound of speech.
    package struct Policy: Hashable, Sendable {
        /// After open speech when nothing tells whether it is finished. 200...3000.
        package var openMs = 420
        /// The wait goes with the odds that more comes, to this power: where pauses of twice the length are 1/k as
        /// frequent, mean dead air is least for a given share of cuts at log 2 / log k. 0...1.
        package var steepness = 0.45
        /// How far it is believed how finished the words sound, 0...1; 0 in languages it was not learned in.
        package var wordsTrust = 1.0
        /// What words that sound finished count for beside words that break off: whole sentences follow each other
        /// in one turn. 0...1.
        package var finishedShare = 0.3
        /// How far it is believed how the voice fell, 0...1.
        package var voiceTrust = 1.0
        package var leastMs = 150
        package var mostMs = 3000
        /// Words that break off after an answer lengthen its wait at most by so much.
        package var hesitationMost = 2.8
        /// A dictated answer with nothing owed.
        package var fullMs = 180
        /// Yes, no, a choice, a known name.
        package var matchedMs = 130
        /// A day was named; the date may follow.
        package var dateMs = 500
        /// A sum or an address that may go on.
        package var amountMs = 700
        /// A number that is long enough and may go on; longer by this caller's own gaps in it, as many times
        /// the largest as `gapShare` says, to `dictatedMs`.
        package var enoughMs = 1200
        package var gapShare = 1.5
        /// A number that is not long enough: through the pauses of someone reading it out, and a last sound in
        /// front of them too faint to be heard.
        package var dictatedMs = 3700
        /// Letters, of which nobody knows how many come.
        package var spelledMs = 3200
        package var addressMs = 4700
        /// Asked to dictate, the caller has begun with something else.
        package var unansweredMs = 1200
        /// How long final words are awaited before none, and before those heard so far must do.
        package var finalLimitMs = 1500
        package var partialLimitMs = 900
        /// Between two keys while more are owed, and while what is there would do.
        package var keyOwedMs = 4000
        package var keyEnoughMs = 1500
        /// Speech without a pause is cut into turns of this length.
        package var speechMaxMs = 60_000
        /// Words that come this soon after a turn, without new speech, belong to it and are too late.
        package var lateMs = 3000
        /// Speech this soon after a turn was declared over shows that it was not.
        package var reopenMs = 1000
        /// Speech without words shorter than this was a noise.
        package var noiseMs = 600
        package init() {}
    }
}
