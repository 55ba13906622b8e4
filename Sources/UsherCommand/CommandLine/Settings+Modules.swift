import API
import Archive
import Glibc
import Node
import Redis
import TLS
import Usher

/// The configurations of the modules.
extension Settings {
    /// - Parameter redis: the parsed form of the setting.
    /// - Throws: `UsageError` for an archive that cannot be used.
    func nodeConfiguration(_ redis: RedisURL) throws(UsageError) -> NodeConfiguration {
        var configuration = NodeConfiguration(
            connection: clientConfiguration(redis, name: "usher-serve"), ports: ServedPort.all(self))
        set(&configuration)
        set(&configuration.http)
        configuration.replicaWait = replicaWait
        configuration.store = storeConfiguration
        configuration.receivers = receivers
        configuration.recordings = recordingsOfBots
        set(&configuration.deliverer)
        configuration.deliverer.receivers = receivers
        configuration.deliverer.operatorEndpoint = try operatorEndpoint()
        set(&configuration.calendars)
        configuration.calendars.places = receivers
        configuration.archive = try archiveConfiguration()
        return configuration
    }

    var storeConfiguration: StoreConfiguration {
        var configuration = StoreConfiguration()
        set(&configuration)
        configuration.keyRateLimit = rateLimit
        configuration.addressRateLimit = addressRateLimit
        return configuration
    }

    /// Where webhooks and calendars may be.
    var receivers: ReceiverPolicy { ReceiverPolicy(allowed: self.webhookAllow) }

    /// Who is told of all workspaces; nil: nobody.
    /// - Throws: `UsageError` for an address that may not be told, and for settings that are for nothing.
    func operatorEndpoint() throws(UsageError) -> OperatorEndpoint? {
        let (address, secret) = (Setting[\.webhookURL].flag, Setting[\.webhookSecret].flag)
        guard let url = self.webhookURL else {
            let others = [
                self.webhookSecret == nil ? nil : secret, has(\.webhookEvents) ? Setting[\.webhookEvents].flag : nil,
            ]
            if let other = others.compactMap(\.self).first {
                throw UsageError("\(other) is of use with \(address) alone: give that too, or leave it out.")
            }
            return nil
        }
        guard receivers.mayName(ReceiverURL.host(of: url) ?? "") else {
            throw UsageError(
                "\(address) must name a host of the internet, or one in a block of \(Setting[\.webhookAllow].flag).")
        }
        if let secret = self.webhookSecret, !WebhookSignature.isSound(secret) {
            throw UsageError("\(Setting[\.webhookSecret].flag) must have Base64 behind whsec_.")
        }
        return OperatorEndpoint(
            url: url, secret: self.webhookSecret, events: self.webhookEvents.isEmpty ? nil : self.webhookEvents)
    }

    /// Whether bots record, and where.
    var recordingsOfBots: Recordings {
        var recordings = Recordings()
        recordings.folder = self.recordings.map { RecordingFolder($0) }
        recordings.areSentElsewhere = self.recordingUploadURL != nil
        return recordings
    }

    /// Refuses a folder of recordings that cannot be used.
    /// - Parameter access: `R_OK`, `W_OK`.
    /// - Throws: `UsageError`.
    func checkRecordings(_ access: Int32) throws(UsageError) {
        guard let path = self.recordings, let obstacle = RecordingFolder(path).obstacle(to: access) else { return }
        throw UsageError("\(Setting[\.recordings].flag) names \(quoted(path)), which \(obstacle).")
    }

    /// Where transcripts move, if anywhere.
    /// - Throws: `UsageError` if it cannot be used.
    func archiveConfiguration() throws(UsageError) -> ArchiveConfiguration {
        guard let text = self.archive, text != ArchivePlace.none else { return ArchiveConfiguration() }
        let flag = Setting[\.archive].flag
        guard let place = ArchivePlace(text) else {
            throw UsageError(
                "\(flag) must be none, redis:, a folder, or s3://BUCKET or s3://BUCKET/PREFIX of letters, digits and -_./"
            )
        }
        var configuration = ArchiveConfiguration(place)
        set(&configuration)
        set(&configuration.bucket)
        switch place {
        case .redis: break
        case .folder(let path):
            if let obstacle = RecordingFolder(path).obstacle(to: R_OK | W_OK) {
                throw UsageError("\(flag) names \(quoted(path)), which \(obstacle).")
            }
        case .bucket where configuration.bucket.accessKey == nil || configuration.bucket.secretKey == nil:
            let names = [Setting[\.archiveAccessKey], Setting[\.archiveSecretKey]].map(\.flag)
            throw UsageError(
                "\(flag) names \(quoted(text)), a bucket, which needs \(names.joined(separator: " and ")).")
        case .bucket: break
        }
        return configuration
    }

    /// What changes wait for; nil: for nothing.
    var replicaWait: ReplicaWait? {
        guard self.redisWaitReplicas > 0 else { return nil }
        return ReplicaWait(replicas: self.redisWaitReplicas, milliseconds: self.redisWaitMilliseconds)
    }

    /// What the doctor looks at.
    func patient(_ redis: RedisURL) -> RedisExamination.Patient {
        RedisExamination.Patient(
            clientConfiguration(redis, name: "usher-doctor"), storeConfiguration, waitingFor: self.redisWaitReplicas)
    }

    func clientConfiguration(_ redis: RedisURL, name: String) -> ClientConfiguration {
        var configuration = ClientConfiguration(url: redis, name: name, scripts: Store.scripts)
        set(&configuration)
        configuration.tls = redisTLS
        return configuration
    }

    /// What encrypts connections to a Redis whose URL asks for it; nil: none of its settings is given.
    var redisTLS: TLSContext? {
        // They were found to be usable when they were read, and then made.
        tlsSettings == TLSContext.Settings() ? nil : try? .shared(tlsSettings)
    }

    /// Refuses settings of TLS that cannot be used, or are for nothing.
    /// - Throws: `UsageError`.
    func checkTLS(of urls: [String]) throws(UsageError) {
        let given = [\SettingsTable.redisAuthorities, \.redisCertificate, \.redisKey, \.redisServerName]
            .filter { has($0) }.map { Setting[$0].flag }
        let isEncrypted = urls.contains { (try? RedisURL($0))?.isEncrypted == true }
        guard isEncrypted || given.isEmpty else {
            throw UsageError("\(given[0]) is of use with TLS alone: name Redis by rediss://, or leave it out.")
        }
        if isEncrypted { try makeTLS() }
    }

    /// Refuses settings of TLS that cannot be used.
    /// - Throws: `UsageError`.
    func makeTLS() throws(UsageError) {
        do throws(TLSContext.Invalid) {
            _ = try TLSContext.shared(tlsSettings)
        } catch {
            throw UsageError("\(error).")
        }
    }

    private var tlsSettings: TLSContext.Settings {
        TLSContext.Settings(
            authorities: self.redisAuthorities, certificate: self.redisCertificate, key: self.redisKey,
            serverName: self.redisServerName)
    }
}
