package import Agents
package import Base
package import CallDispatch
package import Conversation
import Foundation
import Logging
import NIOCore
import NIOPosix

/// The file of everything that entered a call's machine: one header line, then one line an input, as JSON.
///
/// `parley replay FILE` needs nothing else. It holds spoken words, so the file is private; it holds no secrets, and
/// nothing that was said or pressed while recording was paused.
package enum JournalLine {
    /// 2 tells how late the ear told an edge, 3 of keys and tones that it heard, 4 of a voice that fades; earlier
    /// journals are still read.
    package static let version = 4

    /// The first line: all that the machine began with.
    package struct Header: Sendable, Codable {
        package var version = JournalLine.version
        package var call: ID<Call>
        package var epoch: Int
        package var direction: Direction
        package var agent: ID<Agent>
        package var agentVersion: Int
        /// Without the tools' headers, which may hold secrets.
        package var definition: AgentDefinition
        package var variables: [String: String]
        package var fundedMs: Int
        package var holdNumber: Int
        /// Connected milliseconds before this epoch's media, which is call time zero.
        package var elapsedMs: Int
        /// The machine resumed from this.
        package var checkpoint: Checkpoint?

        package init(_ plan: Plan, checkpoint: Checkpoint?) {
            call = plan.call
            epoch = plan.epoch
            direction = plan.direction
            agent = plan.agent
            agentVersion = plan.agentVersion
            definition = plan.definition
            for index in definition.tools.indices { definition.tools[index].headers = [:] }
            variables = plan.variables
            fundedMs = plan.fundedMs
            holdNumber = plan.holdNumber
            elapsedMs = plan.elapsedMs
            self.checkpoint = checkpoint?.masked(plan.definition)
        }
    }

    /// Every later line: the call time in nanoseconds, and the input.
    package struct Entry: Sendable, Decodable {
        package var t: CallTime
        package var input: Dialogue.Input
        /// Zeros and x stand for what was said or pressed; absent when the input is as it came.
        package var masked: Bool?
        package init(t: CallTime, input: Dialogue.Input, isMasked: Bool) {
            self.t = t
            self.input = input
            masked = isMasked ? true : nil
        }

        var json: JSON {
            var line: [String: JSON] = ["t": .int(t.nanoseconds), "input": input.json]
            if let masked { line["masked"] = .bool(masked) }
            return .object(line)
        }
    }
}

/// Writes a journal. On its loop only.
final class Journal {
    /// Written at least this often, so that little is lost with the process.
    static let flushEvery: Duration = .seconds(1)

    private let file: DiskFile
    private var flushedAt = CallTime.zero
    private var isFinished = false
    private var privacy = Privacy()

    init(
        path: String, header: JournalLine.Header, on loop: any EventLoop, pool: NIOThreadPool, logger: Logger
    ) {
        file = DiskFile(path: path, on: loop, pool: pool, logger: logger)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Our own value types can be encoded; should they not, the journal lacks its beginning and the call goes on.
        if let text = try? encoder.encode(header) { write(text) }
        file.flush()
    }

    var path: String { file.path }

    /// `isPrivate`: as the conversation stands before the input.
    func append(_ input: Dialogue.Input, at now: CallTime, isPrivate: Bool) {
        let (kept, isMasked) = privacy.kept(input, isPrivate: isPrivate)
        write(JournalLine.Entry(t: now, input: kept, isMasked: isMasked).json.text.utf8)
    }

    func flush(at now: CallTime) {
        guard now - flushedAt >= Self.flushEvery else { return }
        flushedAt = now
        file.flush()
    }

    func finish(done: @escaping @Sendable (Int?) -> Void) {
        isFinished = true
        file.finish(done: done)
    }

    private func write(_ line: some Collection<UInt8>) {
        guard !isFinished else { return }
        file.write(line)
        file.write(CollectionOfOne(0x0A))
    }
}
