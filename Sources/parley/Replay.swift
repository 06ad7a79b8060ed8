import ArgumentParser
import Base
import CallDispatch
import Conversation
import Foundation
import HTTPClient
import Logging
import MediaWorker

/// Runs a call's journal through the conversation again: every input, and what was decided on it.
struct Replay: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show every input and decision of a call.",
        discussion: "CALL is a call's id, fetched with --url and --key, or a journal file.")

    @Argument(help: "A call's id or a journal file.") var call: String
    @OptionGroup var remote: RemoteOptions
    @Flag(help: "One JSON object a line instead of text.") var json = false

    /// Progress of playout and synthesis arrives many times a second and decides nothing mostly.
    @Flag(help: "Show inputs that led to nothing too.") var all = false

    func run() async throws {
        let logger = LogSetup.bootstrap(verbose: false, level: .error)
        let data: Data
        if FileManager.default.fileExists(atPath: call) {
            data = try Data(contentsOf: URL(filePath: call))
        } else if ID<Call>(call) != nil {
            let http = HTTPClient(addresses: .anyAddress, logger: logger)
            data = Data(try await remote.api(http).bytes("/v1/calls/\(call)/journal"))
            await http.close()
        } else {
            throw ValidationError("\(call) is neither a file nor a call's id")
        }
        try replay(data)
    }

    private func replay(_ data: Data) throws {
        var machine: Conversation?
        // Behind the last line's end stands at most half a line, of a worker that died.
        let whole = data.lastIndex(of: UInt8(ascii: "\n")).map { data[...$0] } ?? Data()
        for (number, line) in whole.split(separator: UInt8(ascii: "\n")).enumerated() {
            do {
                // A journal of several epochs has a header for each.
                if line.starts(with: #"{"input""#.utf8) {
                    let entry = try JSONDecoder().decode(JournalLine.Entry.self, from: Data(line))
                    guard machine != nil else { throw ValidationError("the journal has no header") }
                    step(&machine, entry)
                } else {
                    let header = try JSONDecoder().decode(JournalLine.Header.self, from: Data(line))
                    machine = begin(header)
                }
            } catch let error as DecodingError {
                throw ValidationError("line \(number + 1) is not of a journal of this version: \(error)")
            }
        }
    }

    private func begin(_ header: JournalLine.Header) -> Conversation {
        if !json {
            print(
                "\(header.call) epoch \(header.epoch), \(header.direction.rawValue), \(header.agent) version \(header.agentVersion)"
            )
        }
        return Conversation(
            definition: header.definition, variables: header.variables, call: header.call.description,
            fundedMs: header.fundedMs, holdNumber: header.holdNumber, resuming: header.checkpoint)
    }

    private func step(_ machine: inout Conversation?, _ entry: JournalLine.Entry) {
        let effects = machine?.handle(entry.input, at: entry.t) ?? []
        guard all || !effects.isEmpty || isWorthALine(entry.input) else { return }
        if json {
            let object: JSON = [
                "t_ms": .int(Int64(entry.t.milliseconds)), "in": .string(Ladder.text(of: entry.input)),
                "masked": .bool(entry.masked ?? false),
                "out": .array(effects.map { .string(Ladder.text(of: $0)) }),
            ]
            print(object.text)
        } else {
            print(Ladder.line(entry.input, at: entry.t) + (entry.masked == true ? "   (masked)" : ""))
            for effect in effects { print(Ladder.line(effect, at: entry.t)) }
        }
    }

    private func isWorthALine(_ input: Dialogue.Input) -> Bool {
        switch input {
        case .synthesised, .heard, .deadline: false
        default: true
        }
    }
}
