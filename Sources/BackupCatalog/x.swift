enum PlaceholderBackupCatalog {}
