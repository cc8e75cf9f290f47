USE [Ward]
GO
SET ANSI_NULLS ON
GO
SET QUOTED_IDENTIFIER ON
GO
IF NOT EXISTS (SELECT * FROM sys.schemas WHERE name = N'Staff')
EXEC('CREATE SCHEMA [Staff]')
GO
/****** Object:  Table [dbo].[Patient]    Script Date: 1/2/2020 10:00:00 ******/
CREATE TYPE [dbo].[Name] FROM [nvarchar](50) NULL
GO
CREATE TABLE [dbo].[Patient](
	[PatientID] [int] IDENTITY(1,1) NOT FOR REPLICATION NOT NULL,
	[Name] [dbo].[Name] NOT NULL,
	[Insured From] [datetime2](7) NULL CONSTRAINT [DF_from] DEFAULT (getdate()),
	[Weight] decimal(5, 2) NULL,
	[Height] decimal(5, 2) NULL,
	[Bmi] AS ([Weight]/([Height]*[Height])) PERSISTED,
	[Note] [nvarchar](max) COLLATE Latin1_General_CI_AS NULL,
	[rowguid] [uniqueidentifier] ROWGUIDCOL NOT NULL CONSTRAINT [DF_guid] DEFAULT (newid()),
 CONSTRAINT [PK_Patient] PRIMARY KEY CLUSTERED 
(
	[PatientID] ASC
)WITH (PAD_INDEX = OFF, STATISTICS_NORECOMPUTE = OFF) ON [PRIMARY]
) ON [PRIMARY] TEXTIMAGE_ON [PRIMARY]
GO
CREATE TABLE Staff.Nurse
(
	NurseID int NOT NULL PRIMARY KEY NONCLUSTERED,
	BossID int NULL CONSTRAINT FK_Boss FOREIGN KEY REFERENCES Staff.Nurse (NurseID),
	[Order] smallint NULL
)
CREATE TABLE dbo.[Bed.Use]
(
	PatientID int NOT NULL REFERENCES dbo.Patient,
	NurseID int NOT NULL,
	Since datetime NOT NULL,
	CONSTRAINT PK_BedUse PRIMARY KEY CLUSTERED (PatientID, Since DESC)
	CONSTRAINT FK_Nurse FOREIGN KEY (NurseID) REFERENCES Staff.Nurse (NurseID) ON DELETE NO ACTION
)
go
CREATE TABLE #scratch (a int)
GO
IF OBJECT_ID('dbo.Visit') IS NULL
BEGIN
  CREATE TABLE dbo.Visit (VisitID bigint NOT NULL, PatientID int NULL, Cost money)
END
GO
ALTER TABLE dbo.Visit ADD CONSTRAINT PK_Visit PRIMARY KEY NONCLUSTERED (VisitID) WITH (FILLFACTOR = 80) ON [PRIMARY]
GO
ALTER TABLE [dbo].[Visit]  WITH CHECK ADD  CONSTRAINT [FK_Visit_Patient] FOREIGN KEY([PatientID])
REFERENCES [dbo].[Patient] ([PatientID])
ON DELETE CASCADE
GO
ALTER TABLE [dbo].[Visit] CHECK CONSTRAINT [FK_Visit_Patient]
GO
ALTER TABLE dbo.Visit ADD Ended datetime NULL, Reason nvarchar(20) NOT NULL DEFAULT N'it''s, (open'
ALTER TABLE dbo.Visit
DROP COLUMN Cost
GO
CREATE PROCEDURE dbo.Tidy AS
BEGIN
  CREATE TABLE dbo.Inside (a int);
  DELETE FROM dbo.Visit;
END
GO
CREATE VIEW dbo.Busy AS SELECT 1 AS a
GO
CREATE NONCLUSTERED INDEX [IX] ON [dbo].[Visit] ([PatientID])
GO
EXEC sys.sp_addextendedproperty @name=N'MS_Description', @value=N'One stay.' , @level0type=N'SCHEMA',@level0name=N'dbo', @level1type=N'TABLE',@level1name=N'Visit'
GO
