/// Did the caller correct what the cheap model alone had answered? Pure.
///
/// Told of each request and reply of a call, in their order. An answer is judged by the caller's next turn, and that once a turn
/// later begins: until then its words may be a guess, or go on. So nothing is learned from the last turn of a call.
struct CorrectedAnswers: Sendable {
    private var turn = 0
    /// By the cheap model alone, in words: to the turn before, and to this one so far.
    private var before: RoutedModel.Decision?
    private var answer: RoutedModel.Decision?
    private var isCorrected = false

    /// A request of `turn` is made; `corrects`: whether its words correct the agent, nil where they were looked at before.
    ///
    /// Gives what was decided for the answer that turned out to be wrong.
    mutating func asked(_ turn: Int, corrects: Bool?) -> RoutedModel.Decision? {
        var wrong: RoutedModel.Decision?
        if turn != self.turn {
            wrong = isCorrected ? before : nil
            (before, answer, isCorrected) = (answer, nil, false)
            self.turn = turn
        }
        if let corrects { isCorrected = corrects }
        return wrong
    }

    /// `alone`: what was decided, where the cheap model alone spoke; nil for any other reply.
    mutating func answered(_ turn: Int, by alone: RoutedModel.Decision?) {
        if turn == self.turn { answer = alone }
    }
}
