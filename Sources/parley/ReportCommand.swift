import ArgumentParser
import Audio
import Base
import CallDispatch
import Foundation
import HTTPClient
import Logging
import MediaWorker
import Review

/// Writes one call as a page: both voices, words, decisions with their reasons, latency and cost.
struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Write a call as one HTML page.",
        discussion: """
            CALL is a call's id, fetched with --url and --key. With --files it is read from a directory of recordings:
            CALL.EPOCH.journal and CALL.EPOCH.wav as a worker wrote them, there or in a folder of a tenant, and CALL.json if
            the API's answer was kept.
            """)

    @Argument(help: "A call's id.") var call: String
    @Option(help: "Where to write the page. [CALL.html]") var out: String?
    @Option(help: "A directory to read the call from.") var files: String?
    @OptionGroup var remote: RemoteOptions

    /// A longer recording is drawn, but is no part of the page: 24 MiB, 13 minutes.
    static let soundBytesMax = 24 << 20

    /// What was found of a call.
    private struct Found {
        var sheet: JSON?
        var journal: Data?
        var recording: Data?
        /// Why a recording that may be there could not be had.
        var recordingProblem: String?
    }

    func run() async throws {
        guard ID<Call>(call) != nil else { throw ValidationError("\(call) is not a call's id") }
        let found: Found
        if let files { found = try local(files) } else { found = try await fetched() }
        let page = page(found)
        let path = out ?? call + ".html"
        try GivenFile.write(Data(page.html.utf8), to: path)
        for line in page.missing { print("note: \(line)") }
        print(path)
    }

    private func local(_ directory: String) throws -> Found {
        let files = RecordedFiles(directory: directory, call: call)
        let found = Found(
            sheet: try files.sheet(), journal: try files.journal(), recording: try files.recording())
        guard found.journal != nil || found.recording != nil else {
            throw ValidationError("\(directory) holds neither a journal nor a recording of \(call)")
        }
        return found
    }

    private func fetched() async throws -> Found {
        let http = HTTPClient(
            addresses: .anyAddress, logger: LogSetup.bootstrap(verbose: false, level: .error))
        let api = try remote.api(http)
        var found = Found(
            sheet: try await api.get("/v1/calls/\(call)"),
            journal: try await api.file("/v1/calls/\(call)/journal"))
        do {
            found.recording = try await api.file("/v1/calls/\(call)/recording")
        } catch {
            // Hours of sound are more than one answer may hold; the rest is still worth a page.
            found.recordingProblem = "\(error)"
        }
        await http.close()
        return found
    }

    private func page(_ found: Found) -> CallPage {
        var missing: [String] = []
        if found.sheet == nil {
            missing.append("What the API tells of this call, its cost among it, was not at hand.")
        }
        if found.journal == nil {
            missing.append("There is no journal of this call: turns, decisions and latency cannot be shown.")
        }
        var story: CallStory?
        if let journal = found.journal {
            do throws(JournalReading.Unreadable) {
                let call = try JournalReading(journal).call
                story = CallStory(call)
                if call.legs.contains(where: { $0.driftsAt != nil }) {
                    missing.append(
                        "This call was led by a version that decided otherwise: decisions are this version's on what it heard."
                    )
                }
            } catch {
                missing.append("The journal cannot be read: \(error.description).")
            }
        }
        var waveform: Waveform?
        var sound: String?
        if let recording = found.recording {
            do throws(WAV.Unreadable) {
                waveform = Waveform(try WAV.read(Array(recording)))
                if recording.count <= Self.soundBytesMax {
                    sound = recording.base64EncodedString()
                } else {
                    missing.append(
                        "The recording is too long to be part of this page: it is drawn, but not heard.")
                }
            } catch {
                missing.append("The recording cannot be read: \(error.description).")
            }
        } else if let problem = found.recordingProblem {
            missing.append("The recording could not be fetched: \(problem).")
        } else {
            missing.append("There is no recording of this call: voices cannot be shown or heard.")
        }
        return CallPage(
            sheet: CallSheet(found.sheet ?? [:], id: call), story: story, waveform: waveform, sound: sound,
            missing: missing)
    }
}
