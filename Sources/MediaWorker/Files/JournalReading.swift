import Base
import CallDispatch
package import Foundation
package import Review

/// A journal as it was read. A call led by several workers has a header for each.
package struct JournalReading: Sendable {
    package struct Unreadable: Error, Hashable, Sendable, CustomStringConvertible {
        package var description: String
    }

    package private(set) var headers: [JournalLine.Header] = []
    /// One leg a header.
    package private(set) var call = RecordedCall(legs: [])

    /// - Throws: `Unreadable`, naming the first line that cannot be read.
    package init(_ data: Data) throws(Unreadable) {
        // Behind the last line's end stands at most half a line, of a worker that died.
        let whole = data.lastIndex(of: UInt8(ascii: "\n")).map { data[...$0] } ?? Data()
        for (number, line) in whole.split(separator: UInt8(ascii: "\n")).enumerated() {
            do {
                try read(Data(line))
            } catch let error as DecodingError {
                let place = error.path.isEmpty ? "" : " at \(error.path)"
                throw Unreadable(
                    description:
                        "line \(number + 1) is not of a journal this version knows\(place): \(error.reason)")
            } catch {
                throw Unreadable(description: "line \(number + 1): \(error)")
            }
        }
        guard !headers.isEmpty else { throw Unreadable(description: "the journal is empty") }
    }

    private mutating func read(_ line: Data) throws {
        if line.starts(with: #"{"input""#.utf8) {
            let entry = try JSONDecoder().decode(JournalLine.Entry.self, from: line)
            guard !headers.isEmpty else { throw Unreadable(description: "an input before any header") }
            call.legs[headers.count - 1].entries.append(
                .init(at: entry.t, input: entry.input, isMasked: entry.masked ?? false))
        } else {
            let header = try JSONDecoder().decode(JournalLine.Header.self, from: line)
            headers.append(header)
            call.legs.append(.init(start: .init(header)))
        }
    }
}

extension RecordedCall.Start {
    init(_ header: JournalLine.Header) {
        self.init(
            definition: header.definition, variables: header.variables, key: header.call.description,
            isOutbound: header.direction == .outbound, fundedMs: header.fundedMs,
            holdNumber: header.holdNumber, checkpoint: header.checkpoint)
    }
}
