enum PlaceholderBackupArchive {}
