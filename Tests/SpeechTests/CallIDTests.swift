import Testing

@testable import Speech

struct CallIDTests {
    private static let long = "call_01a2236ca33675abb8225f4142fec306-book_a_table-1"

    /// OpenAI refuses more than 40 characters, Anthropic other signs.
    @Test(arguments: [long, long + "-draft2", "a.b c/ü", String(repeating: "x", count: 500)])
    func anIdFitsAndIsAlwaysTheSame(id: String) {
        let wire = CallID.wire(id)
        #expect(wire.count <= 40)
        #expect(wire.wholeMatch(of: /[A-Za-z0-9_-]+/) != nil)
        #expect(CallID.wire(id) == wire)
    }

    @Test func twoCallsHaveTwoIds() {
        let ids = (1...200).flatMap { number in
            ["", "-draft1"].map { Self.long.dropLast() + "\(number)" + $0 }
        }
        #expect(Set(ids.map { CallID.wire(String($0)) }).count == ids.count)
        #expect(CallID.wire("chat-book-1") == "chat-book-1")
    }
}
