import Testing

@testable import Speech

struct SSEParserTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var body: String
        var events: [String]
        var testDescription: String { name }
    }

    static let cases = [
        Case(name: "two events", body: "data: a\n\ndata: b\n\n", events: ["a", "b"]),
        Case(name: "CRLF", body: "data: a\r\n\r\ndata: b\r\n\r\n", events: ["a", "b"]),
        Case(name: "CR", body: "data: a\r\rdata: b\r\r", events: ["a", "b"]),
        Case(
            name: "comments and other fields", body: ": hi\nevent: x\nid: 1\ndata: a\n\n: bye\n\n",
            events: ["a"]),
        Case(name: "many lines", body: "data: a\ndata: b\n\n", events: ["a\nb"]),
        Case(name: "no space, two spaces", body: "data:a\n\ndata:  b\n\n", events: ["a", " b"]),
        Case(name: "empty data", body: "data\n\ndata:\n\n", events: ["", ""]),
        Case(name: "letters of several bytes", body: "data: é漢🎉\n\n", events: ["é漢🎉"]),
        Case(name: "byte order mark", body: "\u{FEFF}data: a\n\n", events: ["a"]),
        Case(name: "no last blank line", body: "data: a\n\ndata: b", events: ["a", "b"]),
        Case(name: "nothing", body: "", events: []),
        Case(name: "blank lines", body: "\n\n\r\n\n", events: []),
        Case(name: "done", body: "data: {}\n\ndata: [DONE]\n\n", events: ["{}", "[DONE]"]),
    ]

    @Test(arguments: cases, [1, 2, 3, 7, 1_000])
    func readsTheSameHoweverTheBytesAreSplit(_ sample: Case, size: Int) throws {
        let bytes = Array(sample.body.utf8)
        var parser = SSEParser()
        var events: [[UInt8]] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            events += try parser.push(bytes[start..<min(start + size, bytes.count)])
        }
        if let last = parser.finish() { events.append(last) }
        #expect(events.map { String(decoding: $0, as: UTF8.self) } == sample.events)
    }

    @Test func anEndlessLineIsRefused() {
        var parser = SSEParser()
        let line = [UInt8](repeating: 0x61, count: 1 << 16)
        #expect(throws: SSEParser.TooLarge.self) { for _ in 0..<17 { _ = try parser.push(line) } }
    }
}
