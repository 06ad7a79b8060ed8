/// Does the user's turn say that the agent got it wrong?
///
/// A plain "no" is an answer. A correction denies something and says more: what was said or meant ("no, I said Friday"), that it
/// is wrong, or once again what the user had said before ("No, Friday."). Where the agent asked, the last two are answers, too.
extension RoutedDialogue {
    /// A denial comes first: among so many words.
    private static let denialWordsMax = 5

    /// nil where the agent has acted since.
    package var correctsAgent: Bool? {
        guard callsThisTurn == 0 else { return nil }
        let opening = user.words.prefix(Self.denialWordsMax).map(Lexicon.kinds(of:))
        let says = opening.contains { SpokenShape.has($0, .no) }
        guard says || opening.contains(where: { SpokenShape.has($0, .negation) }) else { return false }
        if saysWhatWasSaid { return true }
        guard !agent.endsInQuestion else { return false }
        return user.words.contains(where: Lexicon.faults.contains) || isNegatedRight || says && repeatsItself
    }

    /// "I said", "I already told".
    private var saysWhatWasSaid: Bool {
        zip(user.words, user.words.dropFirst()).contains {
            $0 == Lexicon.speaker && Lexicon.sayings.contains($1)
        }
            || zip(user.words, user.words.dropFirst(2)).contains {
                $0 == Lexicon.speaker && Lexicon.sayings.contains($1)
            }
    }

    private var isNegatedRight: Bool {
        zip(user.words, user.words.dropFirst()).contains {
            SpokenShape.has(Lexicon.kinds(of: $0), .negation) && Lexicon.rights.contains($1)
        }
    }

    private var repeatsItself: Bool {
        let isContent = [Lexicon.Kind.yes, .thanks, .goodbye].allSatisfy { user.count($0) == 0 }
        return isContent && !Set(user.stems).isDisjoint(with: userBefore.stems)
    }
}
