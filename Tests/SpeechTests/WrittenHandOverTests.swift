import Testing

@testable import Speech

/// What of a probe's words is a hand-over, and what is passed on when.
@Suite struct WrittenHandOverTests {
    /// The words that were passed on, and whether a hand-over was read.
    private func read(_ chunks: [String]) -> (words: String, isHandOver: Bool) {
        var reader = WrittenHandOver()
        var words = ""
        for chunk in chunks {
            let reading = reader.push(chunk)
            words += reading.words
            if reading.isHandOver {
                #expect(HandOver.isWritten(in: chunks.joined()))
                return (words, true)
            }
        }
        let reading = reader.finish()
        #expect(HandOver.isWritten(in: chunks.joined()) == reading.isHandOver)
        return (words + reading.words, reading.isHandOver)
    }

    /// The same in one piece, and character by character.
    private func expect(_ text: String, _ words: String, isHandOver: Bool) {
        for chunks in [[text], text.map(String.init)] {
            let found = read(chunks)
            #expect(found.words == words && found.isHandOver == isHandOver, "\(text): \(found)")
        }
    }

    @Test(arguments: [
        "handover()", "hand_over", "hand over", "Hand-over.", "HANDOVER", "hand_over()", "`hand_over`",
        "`handover`",
        " \n`hand over` now", "**hand_over**", "\"handover\"", "[handover]", "<handover/>", "hand_over({})",
        "handover {}", "hand_over_to_colleague", "Handover now.", "Hand over.\nThe caller wants to book.",
        #"{"name": "hand_over", "arguments": {}}"#, #"[{"function": {"name": "handover"}}]"#,
        "```json\n{\"name\": \"hand_over\"}\n```", "```\nhandover\n```",
        #"<tool_call>{"name": "hand_over", "arguments": {}}</tool_call>"#,
        "<function=hand_over>{}</function>",
        "I call hand_over now", "I call handover now.", "I will call `hand_over`.",
        "I’ll use the handover tool.",
        "Calling hand over…", "Let me call the function handover", "I'm calling hand-over, one moment.",
        "I hand over now.", "I'll hand over to my colleague.", "Call hand_over",
    ])
    func aHandOverThatIsWrittenIsRead(text: String) { expect(text, "", isHandOver: true) }

    @Test(arguments: [
        ("One moment. hand_over", "One moment. "), ("One moment, I call handover now.", "One moment, "),
        ("Sure: handover", "Sure: "), ("Of course, `handover`", "Of course, "),
        (#"One moment. {"name": "hand_over"}"#, "One moment. "), ("Yes, handover() it is", "Yes, "),
        ("The tool hand_over does that.", "The tool "),
    ])
    func ofOneBehindOtherWordsTheNameIsNotSpoken(text: String, words: String) {
        expect(text, words, isHandOver: true)
    }

    @Test(arguments: [
        #"{"name": "book_table", "arguments": {"people": 4}}"#, "<function=book_table>{}</function>",
        "```json\n{\"tool\": \"book_table\", \"input\": {}}\n```",
        #"[{"function": {"name": "book_table", "arguments": "{}"}}]"#,
        #"<tool_call>{"name": "book_table"}"#, #"{"action": "book_table", "action_input": {}}"#,
        #"{"tool_uses": [{"recipient_name": "functions.book_table", "parameters": {}}]}"#,
    ])
    func aCallOfAnotherToolThatIsWrittenIsOne(text: String) { expect(text, "", isHandOver: true) }

    @Test(arguments: [
        "Hand over your passport at the desk.", "Handover is at nine.", "Hand over, please, your passport.",
        "The handover is at nine.", "We do the handover.", "At nine is the handover",
        "Handovers take an hour.",
        #"{"slot": "nine"} Please hand over your passport."#, "Hand over now your passport",
        "Handover? At nine.", "[Hand over your passport]",
        "Handover-day is Monday.",
        "I hand over the keys at nine.", "I call you back.", "Let me hand over your documents.",
        "Use hand-overs.",
        "I", "Let me", "Hand", "call", "I'll call",
        "Hello, I am Ada. I'll call the desk, and I use the phone.",
        "Don't hand it over.", "“Yes.” It's 'fine' (really) <3 [sic] * `code`", "Beforehand over there.",
        #"{"slot": "nine"}"#, #"{"name": "Ada", "at": "nine"}"#, "{name}", "[{", "```", " ", "",
        "\n At nine.\n", "Über die Hand",
    ])
    func wordsThatAreNoneAreSpokenAsTheyAre(text: String) { expect(text, text, isHandOver: false) }

    /// What is passed on at once of each piece.
    @Test(arguments: [
        (["You are", " welcome."], ["You are", " welcome."]), (["At nine", "."], ["At nine", "."]),
        (["Ha", "ppy to help"], ["", "Happy to help"]), (["H", "ello"], ["", "Hello"]), (["He"], ["He"]),
        (["Yes, I", " can."], ["Yes, ", "I can."]),
        (["Let", " me", " check", "."], ["", "", "Let me check", "."]),
        (["Hand", " over", " your"], ["", "", "Hand over your"]), (["The hand"], ["The "]),
        (["be", "hand", "over"], ["be", "hand", "over"]),
    ])
    func onlyWhatCouldStillBecomeOneIsHeldBack(chunks: [String], passed: [String]) {
        var reader = WrittenHandOver()
        #expect(chunks.map { reader.push($0).words } == passed)
    }

    @Test func anObjectWithoutItsNameIsNotWaitedForLong() {
        var reader = WrittenHandOver()
        #expect(reader.push(#"{"slot": "#).words.isEmpty)
        #expect(reader.push(#""nine"}"#).words == #"{"slot": "nine"}"#, "it is whole")
        var endless = WrittenHandOver()
        let words = endless.push("{" + String(repeating: "a ", count: 150)).words
        #expect(words.hasPrefix("{a a"))
    }
}
